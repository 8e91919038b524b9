//! The log loses what it knew.

use std::collections::BTreeMap;

use serde_json::Value;

use super::chats::Cluster;

/// What a program's node keeps of its room, by epoch and number.
fn past(
    cluster: &mut Cluster,
    node: usize,
    program: chinwag::ConnId,
) -> BTreeMap<(i64, u64), String> {
    cluster.read(node, program);
    let read = cluster.say(node, program, "/history");
    let lines = read.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let text = |line: &Value| line["text"].as_str().unwrap_or_default().to_owned();
    let lines = lines
        .filter_map(|line| Some(((line["epoch"].as_i64()?, line["seq"].as_u64()?), text(&line))));
    lines.collect()
}

#[test]
fn a_number_is_one_lines_also_where_nodes_have_kept_other_lines() {
    let mut cluster = Cluster::new(2);
    let programs = [0, 1].map(|node| cluster.connect(node, "json"));
    cluster.say(0, programs[0], "known to both");
    cluster.cut(1);
    cluster.say(0, programs[0], "known to the first");
    cluster.cut(0);
    cluster.empty();
    cluster.mend(1);
    cluster.say(1, programs[1], "known to the second");
    cluster.empty();
    cluster.mend(0);
    cluster.say(0, programs[0], "known to both again");
    let [first, second] = [0, 1].map(|node| past(&mut cluster, node, programs[node]));
    assert_eq!((first.len(), second.len()), (3, 3), "{first:?} {second:?}");
    for (number, text) in &first {
        assert_eq!(second.get(number).unwrap_or(text), text, "{number:?}");
    }
    assert_eq!(first.last_key_value(), second.last_key_value());
}
