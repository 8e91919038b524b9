//! What the README and the pages of `docs/` show is what happens, and what they name is there.

pub(crate) mod chats;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of the README: more than this nobody reads to get going.
const README_LINES: usize = 220;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file's text, by its path from the root.
fn page(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The README and the pages of `docs/`, with their paths from the root.
fn pages() -> Vec<(String, String)> {
    let docs = fs::read_dir(root().join("docs")).expect("there are pages");
    let mut paths: Vec<String> = docs
        .map(|entry| entry.expect("it is readable").file_name().into_string().expect("it is text"))
        .filter(|name| Path::new(name).extension().is_some_and(|extension| extension == "md"))
        .map(|name| format!("docs/{name}"))
        .collect();
    paths.sort();
    paths.insert(0, "README.md".to_owned());
    paths.into_iter().map(|path| (page(&path), path)).map(|(text, path)| (path, text)).collect()
}

/// All the blocks of a kind: what stands behind the three backticks, up to a comma.
fn blocks(kind: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (_, text) in pages() {
        // Every second piece is inside of a block.
        for block in text.split("```").skip(1).step_by(2) {
            let (head, body) = block.split_once('\n').unwrap_or((block, ""));
            if head.split(',').next() == Some(kind) {
                found.push(body.to_owned());
            }
        }
    }
    assert!(!found.is_empty(), "no {kind} blocks");
    found
}

/// What stands between backticks, outside of blocks.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|piece| piece.split('`').skip(1).step_by(2)).collect()
}

/// The names of all the tests that there are, or of what could be one.
fn functions() -> BTreeSet<String> {
    let (mut found, mut folders) =
        (BTreeSet::new(), ["src", "tests", "examples"].map(PathBuf::from).to_vec());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("the folder is readable") {
            let name = entry.expect("the entry is readable").file_name();
            let path = folder.join(name);
            if root().join(&path).is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = page(path.to_str().expect("it is text"));
                let names = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
                found.extend(names.map(str::to_owned));
            }
        }
    }
    found
}

#[test]
fn the_readme_is_short() {
    let lines = page("README.md").lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines, more than {README_LINES}");
}

#[test]
fn objects_and_codes_are_those_that_there_are() {
    for line in blocks("json").iter().flat_map(|block| block.lines()) {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
    let files = ["accounts", "cluster", "operators", "people", "rooms", "server"];
    let replies = files.map(|file| page(&format!("src/chat/reply/{file}.rs"))).concat();
    let protocol = page("docs/protocol.md");
    let named: BTreeSet<&str> = quoted(&protocol).into_iter().collect();
    // A code is the first argument of a reply.
    let calls = ["done(", "error("].into_iter().flat_map(|call| replies.split(call).skip(1));
    let codes = calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
    let mut count = 0;
    for code in codes {
        let is_named = named.contains(code) || protocol.contains(&format!("\"{code}\""));
        assert!(is_named, "docs/protocol.md does not name the code {code}");
        count += 1;
    }
    assert!(count > 90, "only {count} are found");
}

/// Sentences of the server, but for their numbers.
#[test]
fn what_a_node_says_is_as_its_page_has_it() {
    let files = ["cluster", "people"];
    let replies = files.map(|file| page(&format!("src/chat/reply/{file}.rs"))).concat();
    let text = page("docs/cluster.md");
    let mut sentences = quoted(&text);
    sentences.retain(|quoted| quoted.ends_with('.') && !quoted.ends_with(" left the chat."));
    assert!(sentences.len() >= 5, "{sentences:?}");
    for part in sentences.iter().flat_map(|sentence| sentence.split(|c: char| c.is_numeric())) {
        assert!(replies.contains(part.trim()), "docs/cluster.md: nobody says {part}");
    }
}

#[test]
#[cfg(feature = "web")]
fn every_metric_is_explained() {
    let operating = page("docs/operating.md");
    let named: BTreeSet<&str> = quoted(&operating).into_iter().collect();
    let scrape = crate::binary::scrape_with_everything();
    for name in scrape.names() {
        let part = |end: &str| name.strip_suffix(end).is_some_and(|name| named.contains(name));
        let is_named = named.contains(name) || ["_bucket", "_sum", "_count"].into_iter().any(part);
        assert!(is_named, "docs/operating.md does not name the metric {name}");
    }
    assert!(scrape.len() > 60);
    // This server is in none.
    let stats = page("src/redis/stats.rs");
    let of_clusters: Vec<&str> =
        stats.split('"').filter(|text| text.starts_with("chinwag_cluster_")).collect();
    assert!(of_clusters.len() > 5 && of_clusters.iter().all(|name| named.contains(name)));
    for file in ["docs/deploy/alerts.yml", "docs/deploy/dashboard.json"] {
        let text = page(file);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let words = text.split(|c| !is_word(c)).filter(|word| word.starts_with("chinwag_"));
        for word in words {
            let is_known =
                scrape.names().chain(of_clusters.iter().copied()).any(|name| name == word);
            assert!(is_known, "{file}: there is no {word}");
        }
    }
}

#[test]
fn metrics_that_are_named_are_there() {
    let explained = page("docs/operating.md");
    for (path, text) in pages() {
        for name in quoted(&text).into_iter().filter(|quoted| quoted.starts_with("chinwag_")) {
            let name = name.split(['{', ' ']).next().unwrap_or(name);
            let name = name.strip_suffix("_bucket").unwrap_or(name);
            assert!(explained.contains(&format!("`{name}`")), "{path}: there is no {name}");
        }
    }
}

#[test]
fn options_are_those_of_the_binary() {
    let help = Command::new(env!("CARGO_BIN_EXE_chinwag")).arg("--help").output().unwrap();
    assert_eq!(blocks("options"), [String::from_utf8(help.stdout).unwrap()]);
}

#[test]
fn the_server_to_embed_is_the_example() {
    let example = page("examples/echo.rs");
    let echoes: Vec<String> =
        blocks("rust").into_iter().filter(|code| code.contains("struct Echo")).collect();
    assert_eq!(echoes.len(), 2, "the README has it, and docs/embedding.md");
    for code in echoes {
        assert!(example.contains(&code), "a page has another echo than examples/echo.rs");
    }
}

#[test]
fn files_that_are_named_are_there() {
    let starts = ["src/", "tests/", "examples/", "docs/", "fuzz/", "benches/"];
    let mut count = 0;
    for (page, text) in pages() {
        for word in quoted(&text) {
            // A command may follow.
            let path = word.split(' ').next().unwrap_or("");
            if starts.iter().any(|start| path.starts_with(start)) {
                assert!(root().join(path).exists(), "{page}: there is no {path}");
                count += 1;
            }
        }
    }
    assert!(count > 50, "only {count} are named");
}

/// Each row names a test in its third column, and a file in its second.
#[test]
fn every_pattern_has_its_file_and_its_test() {
    let functions = functions();
    let mut count = 0;
    for (page, text) in pages() {
        let table = text.lines().skip_while(|line| !line.starts_with("| pattern | file | test |"));
        for row in table.skip(2).take_while(|line| line.starts_with('|')) {
            let columns: Vec<&str> = row.trim_matches('|').split(" | ").collect();
            assert_eq!(columns.len(), 4, "{page}: {row}");
            let test = columns[2].trim_matches('`');
            assert!(functions.contains(test), "{page}: there is no test {test}");
            assert!(columns[1].starts_with("`src/"), "{page}: {row}");
            count += 1;
        }
    }
    assert!(count > 30, "only {count} rows");
}

/// Where a heading is found, as GitHub and rustdoc have it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// What a page defines as the target of a link, and the name that it is under.
fn definitions(text: &str) -> Vec<(&str, &str)> {
    text.lines().filter_map(|line| line.strip_prefix('[')?.split_once("]: ")).collect()
}

/// Targets that stand with their link.
fn inline_targets(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut count = 0;
    for (page, text) in pages() {
        let mut targets = inline_targets(&text);
        targets.extend(definitions(&text).into_iter().map(|(_, target)| target));
        for target in targets.into_iter().filter(|target| !target.contains("::")) {
            if !target.contains("//") {
                assert_leads_somewhere(&page, target);
                count += 1;
            }
        }
    }
    assert!(count > 20, "only {count} links");
}

fn assert_leads_somewhere(page: &str, target: &str) {
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let page_file = root().join(page);
    let folder = page_file.parent().expect("it is in a folder");
    let file = if path.is_empty() { page_file.clone() } else { folder.join(path) };
    assert!(file.exists(), "{page}: {target} leads nowhere");
    if !heading.is_empty() {
        let text = fs::read_to_string(&file).expect("it is a page");
        let mut headings = text.lines().filter(|line| line.starts_with('#'));
        let is_there = headings.any(|line| anchor(line.trim_start_matches('#').trim()) == heading);
        assert!(is_there, "{page}: no heading for {target}");
    }
}

/// rustdoc shows the pages of `docs/` elsewhere than GitHub. So they name what they link to, and
/// `docs/rustdoc-links.md` says where rustdoc finds it.
#[test]
fn links_lead_somewhere_in_the_crates_documentation_too() {
    let links = page("docs/rustdoc-links.md");
    let known: BTreeSet<&str> = definitions(&links).into_iter().map(|(name, _)| name).collect();
    for (page, text) in pages().into_iter().filter(|(page, _)| page.starts_with("docs/")) {
        for target in inline_targets(&text) {
            let leads = target.starts_with('#') || target.contains("//");
            assert!(leads, "{page}: rustdoc does not find {target}; name it");
        }
        for (name, _) in definitions(&text) {
            assert!(known.contains(name), "{page}: docs/rustdoc-links.md does not have {name}");
        }
    }
}
