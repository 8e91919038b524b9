//! Rules about the sources: which module may name which, what must not be said where, and how long
//! files and functions may get. A rule that is broken is printed with the place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which of the crate's modules each may name. An arrow that is not here is not wanted, and
/// one that nobody needs any more is not here.
const ARROWS: &[(&str, &[&str])] = &[
    ("docs", &[]),
    ("pack", &["timeouts"]),
    ("conn", &["pack"]),
    ("work", &[]),
    ("addresses", &["conn", "limits", "rate", "pack", "work"]),
    ("network", &["pack"]),
    ("rate", &["conn", "pack"]),
    ("shared_log", &[]),
    ("limits", &[]),
    ("metrics", &["conn", "pack"]),
    ("scan", &["work"]),
    ("escape", &["scan", "pack"]),
    ("line", &["scan", "pack"]),
    ("telnet", &["scan", "pack", "work"]),
    ("decoder", &["escape", "line", "scan", "telnet", "pack", "work"]),
    ("codec", &["decoder", "line", "pack"]),
    ("http", &["network", "work"]),
    ("proxy_header", &[]),
    ("sniff", &["decoder", "line", "proxy_header", "scan", "telnet", "pack"]),
    ("descriptors", &[]),
    ("listen", &["tls", "transport"]),
    ("timeouts", &["pack", "work"]),
    ("tls", &["pack", "transport"]),
    ("transport", &["pack"]),
    ("mailbox", &["server"]),
    ("outbox", &["conn", "line", "shared_log", "limits", "timeouts", "pack", "work"]),
    ("worker", &["mailbox", "server"]),
    ("testing", &["conn", "hub", "limits", "outbox", "service", "timeouts", "transport", "work"]),
    (
        "service",
        &["codec", "conn", "line", "metrics", "outbox", "sniff", "timeouts", "transport", "pack"],
    ),
    (
        "hub",
        &[
            "addresses",
            "codec",
            "conn",
            "decoder",
            "http",
            "limits",
            "line",
            "metrics",
            "outbox",
            "proxy_header",
            "rate",
            "service",
            "sniff",
            "timeouts",
            "transport",
            "pack",
            "work",
        ],
    ),
    (
        "server",
        &[
            "descriptors",
            "network",
            "http",
            "hub",
            "limits",
            "listen",
            "outbox",
            "service",
            "timeouts",
            "tls",
            "transport",
            "pack",
        ],
    ),
    ("cluster", &["metrics", "pack"]),
    ("redis", &["cluster", "mailbox", "metrics", "pack", "server", "timeouts", "tls"]),
    // A ban is for a network; what is asked of a worker is the chat's to say.
    (
        "chat",
        &[
            "cluster",
            "conn",
            "shared_log",
            "line",
            "metrics",
            "network",
            "outbox",
            "service",
            "sniff",
            "timeouts",
            "transport",
            "pack",
            "work",
        ],
    ),
    ("store", &["chat", "redis"]),
    (
        "chat_with_worker",
        &[
            "chat", "cluster", "codec", "conn", "line", "metrics", "outbox", "server", "service",
            "timeouts", "worker", "pack",
        ],
    ),
];

/// What is above all others, or of the binary, and may name what it likes.
const BINARY: [&str; 16] = [
    "lib",
    "net",
    "main",
    "certificate",
    "cli",
    "logger",
    "memory",
    "output",
    "page",
    "passwd",
    "redis_link",
    "signals",
    "start",
    "storage",
    "system",
    "upgrade",
];

/// What must not be said in which modules, and why.
const ABSENT: &[(&[&str], &[&str], &str)] = &[
    (
        &["mio::", "TcpStream", "TcpListener"],
        &["server", "listen", "redis", "transport"],
        "only server.rs, listen.rs and transport.rs know where readiness comes from, and the threads to Redis block",
    ),
    (&["rustls"], &["tls"], "what encrypts is behind one seam, net/tls.rs"),
    (
        &["Instant::now", "SystemTime::now"],
        &["server", "logger", "redis", "testing", "certificate"],
        "only server.rs, the log, the threads to Redis and the one for certificates read a clock; elsewhere time is an argument, so that runs can be replayed",
    ),
    (
        &["std::io", "std::net::Tcp", "std::fs", "std::thread"],
        &[
            "server",
            "descriptors",
            "listen",
            "transport",
            "tls",
            "hub",
            "limits",
            "chat_with_worker",
            "redis",
            "store",
            "testing",
            "worker",
            "main",
            "certificate",
            "cli",
            "logger",
            "memory",
            "output",
            "passwd",
            "redis_link",
            "signals",
            "start",
            "storage",
            "system",
            "upgrade",
        ],
        "the chat and the queues see no system, so that they cannot fail or block",
    ),
    (
        &["Rc<", "RefCell", "mpsc", "Box<dyn"],
        &["codec", "mailbox", "output", "redis", "worker"],
        "two halves under one slot need no shared ownership and no channels",
    ),
    (
        &["unsafe "],
        &["descriptors", "memory", "system"],
        "there is no unsafe code but one call to the allocator, and what an upgrade asks of the system",
    ),
    (&["println!", "eprintln!"], &[], "they panic when nobody can take the output"),
    (&["todo!", "unimplemented!", "FIXME", "dbg!"], &[], "nothing is left half done"),
];

const FILE_LINES: usize = 400;
const TEST_FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 50;
const TEST_FUNCTION_LINES: usize = 70;

struct Source {
    path: PathBuf,
    /// The module at the top of the crate that it belongs to.
    module: String,
    /// Without comments and tests.
    code: Vec<(usize, String)>,
    text: String,
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut folders = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("the folder is readable") {
            let path = entry.expect("the entry is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(read(&root, path));
            }
        }
    }
    assert!(!sources.is_empty(), "no sources in {folder}");
    sources
}

fn read(root: &Path, path: PathBuf) -> Source {
    let text = fs::read_to_string(&path).expect("sources are text");
    let inside = path.strip_prefix(root).expect("it was found there");
    let names = inside.iter().map(|name| name.to_str().expect("names are text"));
    let module = module_of(names).trim_end_matches(".rs").to_owned();
    let is_test = inside.ends_with("tests.rs");
    let code = text
        .lines()
        .enumerate()
        .take_while(|(_, line)| !is_test && !line.starts_with("mod tests {"))
        .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or("").to_owned()))
        .collect();
    Source { path, module, code, text }
}

/// What a path in the crate belongs to: a part of the loop or of the binary by its own name, all
/// else by the first.
fn module_of<'a>(mut names: impl Iterator<Item = &'a str>) -> &'a str {
    names.find(|name| !["net", "bin", "chinwag"].contains(name)).unwrap_or("")
}

#[test]
fn arrows_point_where_the_map_says() {
    let mut wrong = Vec::new();
    let mut unused: BTreeSet<(&str, &str)> =
        ARROWS.iter().flat_map(|(from, to)| to.iter().map(|to| (*from, *to))).collect();
    for source in sources("src") {
        if BINARY.contains(&source.module.as_str()) {
            continue;
        }
        let Some((from, allowed)) = ARROWS.iter().find(|(module, _)| *module == source.module)
        else {
            panic!("{}: the map in tidy.rs has no such module", source.path.display());
        };
        for (at, line) in &source.code {
            let named = line.split("crate::").skip(1).map(|rest| {
                let end = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':';
                module_of(rest.split(end).next().unwrap_or("").split("::"))
            });
            for module in named.filter(|module| module != from) {
                let path = source.path.display();
                match allowed.iter().find(|to| **to == module) {
                    Some(to) => drop(unused.remove(&(*from, *to))),
                    None => wrong.push(format!("{path}:{at}: {from} may not know {module:?}")),
                }
            }
        }
    }
    wrong.extend(unused.iter().map(|(from, to)| format!("{from} may know {to:?}, and does not")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A file of the chat may not name one that names it, by whatever way: what can be read by itself
/// is at the bottom, and the dispatcher at the top.
#[test]
fn the_chat_names_nothing_in_a_circle() {
    let sources = sources("src");
    let chat = sources.iter().filter(|source| source.module == "chat");
    let files: BTreeMap<String, &Source> =
        chat.map(|source| (path_in_crate(source), source)).collect();
    let names: BTreeMap<&str, BTreeSet<String>> = files
        .iter()
        .map(|(path, source)| (path.as_str(), named_by(path, source, &files)))
        .collect();
    assert!(names.values().map(BTreeSet::len).sum::<usize>() > 150, "the paths are not seen");
    let mut left: BTreeMap<&str, &BTreeSet<String>> =
        names.iter().map(|(path, named)| (*path, named)).collect();
    // A file that names no other that is left is in no circle, nor is one that no other names.
    while let Some(path) = left
        .iter()
        .find(|(path, named)| {
            let names_one = named.iter().any(|other| left.contains_key(other.as_str()));
            !names_one || !left.values().any(|named| named.contains(**path))
        })
        .map(|(path, _)| *path)
    {
        left.remove(path);
    }
    let lines: Vec<String> = left
        .iter()
        .map(|(path, named)| {
            let in_circle = named.iter().filter(|path| left.contains_key(path.as_str()));
            format!("{path} names {}", in_circle.cloned().collect::<Vec<_>>().join(", "))
        })
        .collect();
    assert!(
        lines.is_empty(),
        "these name one another in a circle, or are between two:\n{}",
        lines.join("\n")
    );
}

/// `chat::reply::people` for `src/chat/reply/people.rs`
fn path_in_crate(source: &Source) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inside = source.path.strip_prefix(root).expect("it was found there").with_extension("");
    inside.iter().map(|name| name.to_str().expect("names are text")).collect::<Vec<_>>().join("::")
}

/// The files that a file names: by a path from the crate, from its parent, or from itself.
fn named_by(own: &str, source: &Source, files: &BTreeMap<String, &Source>) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    // How far an item is seen is no use of what it is seen from.
    let lines = source.code.iter().map(|(_, line)| line.replace("pub(in crate::", "("));
    let words: BTreeSet<String> = lines
        .flat_map(|line| line.split(|c| !is_part(c)).map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| word.contains("::"))
        .collect();
    words
        .iter()
        .filter_map(|word| {
            let mut from: Vec<&str> = own.split("::").collect();
            let mut steps = word.split("::").filter(|step| !step.is_empty()).peekable();
            if steps.next_if_eq(&"crate").is_some() {
                from.clear();
            }
            while steps.next_if_eq(&"super").is_some() {
                from.pop();
            }
            let mut found = from.join("::");
            // A step that is no file is an item in the last one.
            for step in steps {
                let next = format!("{found}::{step}").trim_start_matches(':').to_owned();
                if !files.contains_key(&next) {
                    break;
                }
                found = next;
            }
            Some(found).filter(|found| found != own && files.contains_key(found))
        })
        .collect()
}

#[test]
fn the_map_in_lib_names_every_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let lib = fs::read_to_string(root.join("lib.rs")).expect("sources are text");
    let map = lib.split("//! # ").find(|section| section.starts_with("The map\n"));
    let rows = map.expect("lib.rs has a map").lines().filter(|line| line.starts_with("//! |"));
    let named: BTreeSet<&str> = rows
        .flat_map(|row| row.split('`').skip(1).step_by(2))
        .filter(|quoted| quoted.contains(['/', '.']))
        .map(|path| path.trim_end_matches('/'))
        .collect();
    let mut wrong: Vec<String> = (named.iter().filter(|path| !root.join(path).exists()))
        .map(|path| format!("{path}: the map in lib.rs names it, and it is not there"))
        .collect();
    for source in sources("src") {
        let path = source.path.strip_prefix(&root).expect("it was found there");
        // Itself, or a folder that it is in.
        let is_named =
            path.ancestors().any(|path| path.to_str().is_some_and(|path| named.contains(path)));
        if !is_named
            && !path.ends_with("lib.rs")
            && !path.ends_with("net.rs")
            && !path.ends_with("tests.rs")
        {
            wrong.push(format!("{}: the map in lib.rs does not name it", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_is_said_where_it_should_be_absent() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        for (words, except, why) in ABSENT {
            if except.contains(&source.module.as_str()) {
                continue;
            }
            for (at, line) in &source.code {
                for word in words.iter().filter(|word| line.contains(**word)) {
                    wrong.push(format!("{}:{at}: {word}: {why}", source.path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_and_functions_stay_readable() {
    let mut wrong = Vec::new();
    for folder in ["src", "tests", "benches", "examples"] {
        for source in sources(folder) {
            let path = source.path.display();
            let is_test = folder != "src" || source.path.ends_with("tests.rs");
            let (lines_max, function_lines_max) = if is_test {
                (TEST_FILE_LINES, TEST_FUNCTION_LINES)
            } else {
                (FILE_LINES, FUNCTION_LINES)
            };
            let lines = source.text.lines().count();
            if lines > lines_max {
                wrong.push(format!("{path}: {lines} lines, more than {lines_max}"));
            }
            if !source.text.starts_with("//!") {
                wrong.push(format!("{path}: does not open with what it is"));
            }
            for (name, length) in functions(&source.text) {
                if length > function_lines_max {
                    wrong.push(format!("{path}: {name} has {length} lines"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Functions and their lengths. rustfmt puts the closing brace under the line that the
/// function starts on.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let bare = line.trim_start();
        let is_function = bare.split('(').next().is_some_and(|head| {
            let mut words = head.split(' ').skip_while(|word| *word != "fn");
            words.nth(1).is_some() && !bare.starts_with("//") && !bare.ends_with(';')
        });
        if is_function {
            let indent = &line[..line.len() - bare.len()];
            let end = format!("{indent}}}");
            let length = lines[at..].iter().position(|line| **line == *end).unwrap_or(0) + 1;
            found.push((bare.to_owned(), length));
        }
    }
    found
}

#[test]
fn a_function_is_measured_from_its_name_to_its_brace() {
    let text =
        "impl A {\n    pub fn a(\n    ) {\n        b();\n    }\n\n    fn c() {}\n}\n// fn d() {\n";
    let lengths: Vec<usize> = functions(text).into_iter().map(|(_, length)| length).collect();
    assert_eq!(lengths[0], 4);
    assert_eq!(lengths.len(), 2);
}

/// The methods between a line that starts so and the next brace at its left.
fn methods(text: &str, start: &str) -> BTreeSet<String> {
    let body = text.split(start).nth(1).and_then(|rest| rest.split("\n}\n").next());
    let lines = body.expect("it is there").lines();
    let names = lines.filter_map(|line| line.strip_prefix("    fn ")?.split('(').next());
    names.map(str::to_owned).collect()
}

#[test]
fn what_wraps_the_chat_forwards_every_event() {
    let page = |path| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let events = methods(&page("src/net/service.rs"), "pub trait Service {");
    let forwarded = methods(
        &page("src/chat_with_worker.rs"),
        "impl<L: Carrier> Service for ChatWithWorker<L> {",
    );
    assert!(events.len() > 15);
    assert_eq!(forwarded, events);
}

#[test]
fn every_dependency_says_why_it_is_there() {
    let manifest = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).unwrap();
    let mut wanted = false;
    let mut before = "";
    for line in manifest.lines() {
        if line.starts_with('[') {
            wanted = line.ends_with("dependencies]");
        } else if wanted && line.contains('=') {
            assert!(before.starts_with('#'), "a dependency without its reason: {line}");
        }
        before = line;
    }
}
