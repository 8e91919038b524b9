#!/usr/bin/env bash
# Software: pybreaker 1.4.1 (Python), CircuitBreaker with its defaults
# Guess: CircuitBreakerError says that a call was refused and not made. A call that was made raises what it raised,
#   also the one whose failure opens the circuit.
# Behaviour: The call that opens the circuit was made, and raises CircuitBreakerError too: a caller who takes that for
#   "not tried" (so that it is safe to do again, elsewhere) does it twice, and the log lacks the one error that tells
#   why the circuit opened; it is only in __context__. throw_new_error_on_trip=False does what was meant.
# Output seen:
#   call 1:  made,      ConnectionError: refused
#   call 2:  made,      CircuitBreakerError: Failures threshold reached, circuit breaker opened
#   call 3:  not made,  CircuitBreakerError: Timeout not elapsed yet, circuit breaker still open
#   throw_new_error_on_trip=False:
#   call 1:  made,      ConnectionError: refused
#   call 2:  made,      ConnectionError: refused
#   call 3:  not made,  CircuitBreakerError: Timeout not elapsed yet, circuit breaker still open

set -euo pipefail
sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

timeout 300 python3 -m pip install --quiet --disable-pip-version-check --target "$work/py" \
    pybreaker==1.4.1 >"$work/install.log" 2>&1 ||
    { echo "cannot be had: pybreaker==1.4.1" >&2; tail -3 "$work/install.log" >&2; exit 2; }
export PYTHONPATH=$work/py

echo "Output now:"
cat >"$work/probe.py" <<'PY'
import pybreaker

made = False

def store():
    global made
    made = True
    raise ConnectionError("refused")

def three_calls(breaker):
    global made
    for number in (1, 2, 3):
        made = False
        try:
            breaker.call(store)
        except Exception as error:
            tried = "made,     " if made else "not made, "
            print(f"call {number}:  {tried} {type(error).__name__}: {error}")

three_calls(pybreaker.CircuitBreaker(fail_max=2))
print("throw_new_error_on_trip=False:")
three_calls(pybreaker.CircuitBreaker(fail_max=2, throw_new_error_on_trip=False))
PY
seen=$(timeout 60 python3 "$work/probe.py")
echo "$seen"
expected='call 1:  made,      ConnectionError: refused
call 2:  made,      CircuitBreakerError: Failures threshold reached, circuit breaker opened
call 3:  not made,  CircuitBreakerError: Timeout not elapsed yet, circuit breaker still open
throw_new_error_on_trip=False:
call 1:  made,      ConnectionError: refused
call 2:  made,      ConnectionError: refused
call 3:  not made,  CircuitBreakerError: Timeout not elapsed yet, circuit breaker still open'
[ "$seen" = "$expected" ] || { echo "the behaviour has changed" >&2; exit 1; }
