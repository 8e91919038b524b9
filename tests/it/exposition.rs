//! Reads Prometheus' text format, version 0.0.4, as strictly as it is written down.

use std::collections::{BTreeMap, BTreeSet};

const COUNTERS: &str = "the names of counters, and only those, end in _total";

/// What a scrape has brought: values by series, such as `up` or `up{job="a"}`.
pub(crate) struct Scrape(BTreeMap<String, String>);

impl Scrape {
    /// Reads it, or fails the test.
    #[track_caller]
    pub(crate) fn read(text: &str) -> Scrape {
        let mut reader = Reader::default();
        for line in text.strip_suffix('\n').expect("it ends with a line").split('\n') {
            reader.line(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        }
        reader.check_histograms();
        assert!(reader.values.len() <= 100, "{} series", reader.values.len());
        Scrape(reader.values)
    }

    /// A whole number.
    #[track_caller]
    pub(crate) fn get(&self, series: &str) -> u64 {
        self.value(series).parse().expect("a whole number")
    }

    #[track_caller]
    pub(crate) fn seconds(&self, series: &str) -> f64 {
        self.value(series).parse().expect("a number")
    }

    #[track_caller]
    fn value(&self, series: &str) -> &str {
        let value = self.0.get(series);
        value.unwrap_or_else(|| panic!("there is no {series}: {:?}", self.0.keys()))
    }

    /// All names, without what follows them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(|series| series.split('{').next())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// What has been read so far.
#[derive(Default)]
struct Reader {
    /// The present name; all there were.
    family: String,
    families: BTreeSet<String>,
    kind: Option<String>,
    values: BTreeMap<String, String>,
    /// Upper bounds and counts, by histogram.
    buckets: BTreeMap<String, Vec<(f64, u64)>>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or("no help")?;
            if help.trim() != help || help.is_empty() || help.contains('\\') {
                return Err("an odd help");
            }
            name.clone_into(&mut self.family);
            self.kind = None;
            return self.families.insert(name.to_owned()).then_some(()).ok_or("a second help");
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("no type")?;
            if name != self.family || self.kind.is_some() {
                return Err("a type of something else, or a second one");
            }
            if (kind == "counter") != name.ends_with("_total") {
                return Err(COUNTERS);
            }
            self.kind = Some(kind.to_owned());
            return Ok(());
        }
        self.sample(line)
    }

    fn sample(&mut self, line: &str) -> Result<(), &'static str> {
        let end = line.find(['{', ' ']).ok_or("no value")?;
        let name = &line[..end];
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        if name.is_empty() || !name.chars().all(is_name) || name.as_bytes()[0].is_ascii_digit() {
            return Err("no name");
        }
        let (labels, rest) = labels(&line[end..])?;
        let value = rest.strip_prefix(' ').ok_or("no value")?;
        if value.parse::<f64>().map_or(true, |value| value < 0.0) {
            return Err("no value");
        }
        let part = name.strip_prefix(&*self.family).ok_or("it stands under another name")?;
        match (self.kind.as_deref().ok_or("no type before it")?, part) {
            ("gauge" | "counter", "") | ("histogram", "_sum" | "_count") => {}
            ("histogram", "_bucket") => {
                let bound = labels.get("le").and_then(|bound| bound.parse().ok());
                let count = value.parse().or(Err("a bucket's count is whole"))?;
                let bucket = (bound.ok_or("a bucket without a bound")?, count);
                self.buckets.entry(self.family.clone()).or_default().push(bucket);
            }
            _ => return Err("no sample of this type"),
        }
        let series = line[..line.len() - rest.len()].to_owned();
        self.values
            .insert(series, value.to_owned())
            .map_or(Ok(()), |_| Err("a second one of this series"))
    }

    /// Bounds rise, counts do not fall, and the last bucket has all.
    fn check_histograms(&self) {
        for (name, buckets) in &self.buckets {
            let pairs = buckets.iter().zip(&buckets[1..]);
            for ((bound, count), (next_bound, next_count)) in pairs {
                assert!(bound < next_bound && count <= next_count, "{name}: {buckets:?}");
            }
            let all = self.values[&format!("{name}_count")].parse().expect("it is whole");
            assert_eq!(buckets.last(), Some(&(f64::INFINITY, all)), "{name}");
            assert!(self.values.contains_key(&format!("{name}_sum")), "{name}");
        }
    }
}

/// Labels, and what stands behind them.
fn labels(text: &str) -> Result<(BTreeMap<&str, String>, &str), &'static str> {
    let mut labels = BTreeMap::new();
    let Some(mut rest) = text.strip_prefix('{') else { return Ok((labels, text)) };
    loop {
        let (name, quoted) = rest.split_once("=\"").ok_or("no label")?;
        let mut value = String::new();
        let mut chars = quoted.chars();
        loop {
            match chars.next().ok_or("a label that does not end")? {
                '"' => break,
                '\\' => value.push(match chars.next() {
                    Some('n') => '\n',
                    Some(c @ ('\\' | '"')) => c,
                    _ => return Err("an unknown escape"),
                }),
                c => value.push(c),
            }
        }
        if labels.insert(name, value).is_some() {
            return Err("a second label of this name");
        }
        rest = chars.as_str();
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        rest = rest.strip_prefix(',').ok_or("no comma")?;
    }
}

#[test]
fn what_breaks_the_format_is_found() {
    let read = |text: &str| {
        let mut reader = Reader::default();
        text.split('\n').try_for_each(|line| reader.line(line))
    };
    let head = "# HELP a A.\n# TYPE a gauge\n";
    let cases = [
        ("a 1", Ok(())),
        (r#"a{b="\"\\\n",c="}"} 1"#, Ok(())),
        ("a 1\na 1", Err("a second one of this series")),
        ("a 1\n# TYPE a gauge", Err("a type of something else, or a second one")),
        ("# HELP a B.", Err("a second help")),
        ("b 1", Err("it stands under another name")),
        ("a_bucket 1", Err("no sample of this type")),
        (r#"a{b="c} 1"#, Err("a label that does not end")),
        ("a one", Err("no value")),
    ];
    for (text, result) in cases {
        assert_eq!(read(&format!("{head}{text}")), result, "{text}");
    }
    assert_eq!(read("# HELP a A.\n# TYPE a counter"), Err(COUNTERS));
}
