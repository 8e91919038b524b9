//! Files and what was read from them stay consistent, whatever fails.

use std::cell::Cell;

use super::*;

thread_local! {
    /// The step that fails next.
    static FAILS: Cell<Option<Step>> = const { Cell::new(None) };
}

const STEPS: [Step; 7] =
    [Step::Lock, Step::Create, Step::Write, Step::Sync, Step::Keep, Step::Rename, Step::SyncDir];

fn may(step: Step) -> io::Result<()> {
    if FAILS.get() == Some(step) {
        FAILS.set(None);
        return Err(io::Error::new(ErrorKind::StorageFull, format!("{step:?}")));
    }
    Ok(())
}

/// A directory for one test, removed when this is dropped.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Dir {
        let name = format!("chinwag-state-{name}-{}", std::process::id());
        let dir = Dir(std::env::temp_dir().join(name));
        // A killed test may have left it.
        let _ = fs::remove_dir_all(&dir.0);
        dir
    }

    fn open(&self) -> State {
        State { may, ..State::open(&self.0).unwrap() }
    }

    fn text(&self) -> String {
        fs::read_to_string(self.0.join(BANS)).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != save::LOCK).collect()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        // A leftover does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn ban(target: &str) -> Ban {
    Ban { target: target.parse().unwrap(), until: None, by: "op".into(), why: "loud".into() }
}

fn ban_request(ban: Ban) -> Request {
    Request::Ban { ban, now: Timestamp::UNIX_EPOCH }
}

#[test]
fn each_step_of_a_save_may_fail_and_nothing_has_changed() {
    let dir = Dir::new("steps");
    let mut state = dir.open();
    for step in STEPS {
        FAILS.set(Some(step));
        let answer = state.perform(ban_request(ban("alice")));
        assert!(
            matches!(&answer, Answer::NotSaved(why) if *why == format!("{step:?}")),
            "{answer:?}"
        );
        assert_eq!((dir.names(), state.persisted()), (vec![], Persisted::default()), "{step:?}");
    }
    for (number, step) in STEPS.into_iter().enumerate() {
        assert!(matches!(
            state.perform(ban_request(ban(&format!("bob-{number}")))),
            Answer::Banned(_)
        ));
        let (text, kept) = (dir.text(), state.persisted());
        for request in [ban_request(ban("alice")), Request::Unban("bob-0".parse().unwrap())] {
            FAILS.set(Some(step));
            let answer = state.perform(request);
            assert!(
                matches!(&answer, Answer::NotSaved(why) if *why == format!("{step:?}")),
                "{answer:?}"
            );
            assert_eq!((dir.text(), state.persisted()), (text.clone(), kept.clone()), "{step:?}");
            assert_eq!(dir.names(), [BANS], "{step:?}");
        }
        assert_eq!(dir.open().persisted(), kept);
    }
}

#[test]
fn answered_changes_are_there_after_reopening() {
    let dir = Dir::new("again");
    let mut state = dir.open();
    fs::write(dir.0.join(BANS), "# whom we know\nalice never op\n\n# nets\n10.0.0.0/8 never op\n")
        .unwrap();
    assert!(matches!(state.perform(Request::Reload), Answer::Reloaded(Some(_))));
    assert!(matches!(state.perform(ban_request(ban("ALICE"))), Answer::Banned(_)));
    let over = Ban { until: Some(Timestamp::UNIX_EPOCH), ..ban("old") };
    assert!(matches!(state.perform(ban_request(over)), Answer::Banned(_)));
    assert!(matches!(state.perform(ban_request(ban("bob@192.0.2.7"))), Answer::Banned(_)));
    let target = "10.0.0.0/8".parse().unwrap();
    assert!(matches!(state.perform(Request::Unban(target)), Answer::Unbanned(_)));
    assert_eq!(
        dir.text(),
        "# whom we know\nALICE never op loud\n\n# nets\nbob@192.0.2.7 never op loud\n"
    );
    assert_eq!(dir.open().persisted(), state.persisted());
}

#[test]
fn changes_by_others_are_not_overwritten() {
    let dir = Dir::new("others");
    let (mut one, mut other) = (dir.open(), dir.open());
    assert!(matches!(one.perform(ban_request(ban("alice"))), Answer::Banned(_)));
    let text = dir.text();
    let answer = other.perform(ban_request(ban("bob")));
    assert!(
        matches!(&answer, Answer::NotSaved(why) if why.contains("/reload first")),
        "{answer:?}"
    );
    assert_eq!(dir.text(), text);
    assert!(matches!(other.perform(Request::Reload), Answer::Reloaded(_)));
    assert!(matches!(other.perform(ban_request(ban("bob"))), Answer::Banned(_)));
    assert_eq!(dir.open().persisted().bans.all().count(), 2);
}

#[test]
fn an_invalid_file_is_reported_with_its_line_and_the_last_state_stays() {
    let dir = Dir::new("wrong");
    let mut state = dir.open();
    assert!(matches!(state.perform(ban_request(ban("alice"))), Answer::Banned(_)));
    let kept = state.persisted();
    fs::write(dir.0.join(BANS), "alice never op\nAlice never ann\n").unwrap();
    let Answer::NotReloaded(why) = state.perform(Request::Reload) else { panic!("it was read") };
    assert!(why.ends_with("bans: line 2: it says the same of the same as line 1"), "{why}");
    assert_eq!(state.persisted(), kept);
    assert_eq!(State::open(&dir.0).err().map(|error| error.to_string()), Some(why));
}

#[test]
fn a_directory_that_is_gone_is_no_empty_one() {
    let dir = Dir::new("gone");
    let mut state = dir.open();
    assert!(matches!(state.perform(ban_request(ban("alice"))), Answer::Banned(_)));
    let kept = state.persisted();
    fs::remove_dir_all(&dir.0).unwrap();
    let Answer::NotReloaded(why) = state.perform(Request::Reload) else { panic!("it was read") };
    assert!(why.starts_with(&format!("{}: ", dir.0.display())), "{why}");
    assert_eq!((state.persisted(), dir.0.exists()), (kept, false));
    // Nor is a file.
    fs::write(&dir.0, "").unwrap();
    assert!(matches!(state.perform(Request::Reload), Answer::NotReloaded(_)));
    let why = format!("{}: it is not a directory", dir.0.display());
    assert_eq!(State::open(&dir.0).err().map(|error| error.to_string()), Some(why));
    fs::remove_file(&dir.0).unwrap();
    assert_eq!(dir.open().persisted(), Persisted::default());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new("modes");
    assert!(matches!(dir.open().perform(ban_request(ban("alice"))), Answer::Banned(_)));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (bans, lock) = (dir.0.join(BANS), dir.0.join(save::LOCK));
    assert_eq!((mode(&dir.0), mode(&bans), mode(&lock)), (0o700, 0o600, 0o600));
}

#[cfg(unix)]
#[test]
fn a_directory_that_others_may_write_in_is_not_used() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new("open");
    let set_mode = |mode| fs::set_permissions(&dir.0, fs::Permissions::from_mode(mode)).unwrap();
    let mut state = dir.open();
    for (mode, may) in [(0o755, true), (0o777, false), (0o1777, false), (0o720, false)] {
        set_mode(mode);
        let why = format!(
            "{}: others may write in it (mode {:o}); at most 755 is allowed",
            dir.0.display(),
            mode & 0o777
        );
        let answer = state.perform(Request::Reload);
        let is_reported = matches!(&answer, Answer::NotReloaded(text) if *text == why);
        assert_eq!((is_reported, State::open(&dir.0).is_ok()), (!may, may), "{mode:o}: {answer:?}");
    }
}

#[test]
fn readers_of_the_directory_cannot_block_a_save() {
    let dir = Dir::new("locked");
    let mut state = dir.open();
    let theirs = fs::File::open(&dir.0).unwrap();
    theirs.lock().unwrap();
    // A failure must not block for ever.
    let (done, is_done) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // It fails if it has been too late.
        let _ = done.send(matches!(state.perform(ban_request(ban("alice"))), Answer::Banned(_)));
    });
    assert_eq!(is_done.recv_timeout(std::time::Duration::from_mins(1)), Ok(true));
}

#[cfg(unix)]
#[test]
fn files_written_by_root_belong_to_the_directorys_owner() {
    use std::os::unix::fs::{MetadataExt, chown};
    let dir = Dir::new("owner");
    let mut state = dir.open();
    if chown(&dir.0, Some(65534), Some(65533)).is_err() {
        return; // Only root can make a directory that belongs to another user.
    }
    for name in ["alice", "bob"] {
        assert!(matches!(state.perform(ban_request(ban(name))), Answer::Banned(_)));
        let metadata = fs::metadata(dir.0.join(BANS)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (65534, 65533));
        assert_eq!(metadata.mode() & 0o777, 0o600);
    }
    assert_eq!(dir.open().persisted(), state.persisted());
}

#[cfg(feature = "accounts")]
mod of_accounts {
    use super::*;
    use crate::chat::{Account, Naming, Password};

    fn password(text: &str) -> Password {
        Password::new(text).unwrap()
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn register(name: &str, text: &str) -> Request {
        let account = Account { name: name.to_owned(), op: false, unused_until: Some(second(10)) };
        Request::Register { account, password: password(text), now: second(0) }
    }

    fn log_in(name: &str, text: &str) -> Request {
        let (name, password) = (name.to_owned(), password(text));
        Request::LogIn { name, password, by: Naming::Nick }
    }

    fn unregister(name: &str, text: &str) -> Request {
        Request::Unregister { name: name.to_owned(), password: password(text) }
    }

    impl Dir {
        fn accounts(&self) -> String {
            fs::read_to_string(self.0.join("accounts")).unwrap_or_default()
        }
    }

    #[test]
    fn a_password_is_right_or_wrong_and_outlives_the_process() {
        let dir = Dir::new("accounts");
        let mut state = dir.open();
        assert!(matches!(state.perform(register("Ann", "hunter22")), Answer::Registered(_)));
        assert!(matches!(state.perform(register("ANN", "hunter23")), Answer::Exists(_)));
        assert!(dir.accounts().starts_with("Ann:$argon2id$v=19$m=19456,t=2,p=1$"));
        let mut state = dir.open();
        assert!(matches!(state.perform(log_in("ann", "hunter22")), Answer::LoggedIn(..)));
        assert!(matches!(state.perform(log_in("ann", "hunter23")), Answer::Wrong));
        assert!(matches!(state.perform(log_in("bob", "hunter22")), Answer::Wrong));
        let name = "ann".to_owned();
        let change = Request::Passwd { name, password: password("hunter24") };
        assert!(matches!(state.perform(change), Answer::PasswordSet));
        assert!(matches!(state.perform(log_in("ann", "hunter24")), Answer::LoggedIn(..)));
        assert!(matches!(state.perform(unregister("ann", "hunter22")), Answer::Wrong));
        assert!(matches!(state.perform(unregister("ann", "hunter24")), Answer::Unregistered(_)));
        assert_eq!((dir.accounts().as_str(), dir.open().persisted()), ("", Persisted::default()));
    }

    #[test]
    fn a_reload_names_those_whose_password_others_have_changed() {
        let dir = Dir::new("accounts-new");
        let mut state = dir.open();
        for name in ["Ann", "bob"] {
            state.protect(name, &password("hunter22")).unwrap();
        }
        let mut reload = || match state.perform(Request::Reload) {
            Answer::Reloaded(Some(persisted)) => persisted.new_passwords,
            answer => panic!("{answer:?}"),
        };
        assert!(reload().is_empty());
        for name in ["ANN", "cat"] {
            State::set_password(&dir.0, name, &password("hunter23")).unwrap();
        }
        // Nobody can have logged in to one that is new.
        assert_eq!(reload(), ["Ann"]);
        assert!(reload().is_empty());
    }

    #[test]
    fn comments_flags_and_the_order_stay() {
        let dir = Dir::new("accounts-order");
        let mut state = dir.open();
        state.protect("bob", &password("hunter22")).unwrap();
        let bob = dir.accounts();
        let ann = bob.replace("bob:", "ann:").trim().to_owned() + "op\n";
        fs::write(dir.0.join("accounts"), format!("# in charge\n{ann}\n# others\n{bob}")).unwrap();
        let mut state = dir.open();
        let admins =
            |state: &State| state.persisted().accounts.into_iter().filter(|own| own.op).count();
        assert_eq!(admins(&state), 1);
        assert!(matches!(state.perform(register("cat", "hunter22")), Answer::Registered(_)));
        state.protect("ANN", &password("hunter23")).unwrap();
        let text = dir.accounts();
        let shape: Vec<_> = text.lines().map(|line| line.split(':').next().unwrap()).collect();
        assert_eq!(shape, ["# in charge", "ann", "", "# others", "bob", "cat"]);
        assert!(text.lines().nth(1).unwrap().ends_with(":op") && text.contains(&bob));
        let kept = dir.open().persisted().accounts;
        assert_eq!(kept[0], Account { name: "ann".to_owned(), op: true, unused_until: None });
    }

    #[test]
    fn each_step_of_a_save_may_fail_here_too() {
        let dir = Dir::new("accounts-steps");
        let mut state = dir.open();
        state.protect("bob", &password("hunter22")).unwrap();
        let (text, kept) = (dir.accounts(), state.persisted());
        for step in STEPS {
            for request in [register("ann", "hunter22"), unregister("bob", "hunter22")] {
                FAILS.set(Some(step));
                let answer = state.perform(request);
                assert!(matches!(answer, Answer::NotSaved(_)), "{step:?}: {answer:?}");
                assert_eq!(
                    (dir.accounts(), state.persisted()),
                    (text.clone(), kept.clone()),
                    "{step:?}"
                );
            }
        }
    }

    #[test]
    fn an_account_that_nobody_has_logged_in_to_goes_with_the_next_that_is_made() {
        let dir = Dir::new("accounts-unused");
        let mut state = dir.open();
        for name in ["ann", "bob"] {
            assert!(matches!(state.perform(register(name, "hunter22")), Answer::Registered(_)));
        }
        assert!(dir.accounts().ends_with(":unused-until=1970-01-01T00:00:10Z\n"));
        assert!(matches!(state.perform(log_in("ann", "hunter22")), Answer::LoggedIn(..)));
        let at = |at, name: &str| {
            let Request::Register { account, password, .. } = register(name, "hunter23") else {
                unreachable!("it is one");
            };
            Request::Register { account, password, now: second(at) }
        };
        assert!(matches!(state.perform(at(9, "bob")), Answer::Exists(_)));
        assert!(matches!(state.perform(at(10, "bob")), Answer::Registered(_)));
        assert!(matches!(state.perform(at(10, "ann")), Answer::Exists(_)));
        assert!(matches!(state.perform(at(20, "cat")), Answer::Registered(_)));
        let names: Vec<_> = state.persisted().accounts.into_iter().map(|own| own.name).collect();
        assert_eq!(
            (names, dir.open().persisted()),
            (vec!["ann".into(), "cat".into()], state.persisted())
        );
    }
}
