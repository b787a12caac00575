use super::*;
use dovetail_abi::metrics_v1::SeriesLabel;
use prometheus::TextEncoder;

fn families() -> (&'static Families, Registry) {
    let registry = Registry::new();
    (Box::leak(Box::new(Families::new(&registry))), registry)
}

fn description(kind: SeriesKind, name: &str, labels: &[(&str, &str)]) -> SeriesDescription {
    SeriesDescription {
        kind,
        name: name.into(),
        help: "h".into(),
        labels: labels.iter().map(|(n, v)| SeriesLabel { name: (*n).into(), value: (*v).into() }).collect(),
        buckets: if kind == SeriesKind::Histogram { vec![0.5, 1.0] } else { Vec::new() },
    }
}

fn text(registry: &Registry) -> String {
    TextEncoder::new().encode_to_string(&registry.gather()).unwrap()
}

#[test]
fn instances_count_apart_and_go_with_their_last_host() {
    let (families, registry) = families();
    let (mx, submission) = (families.of("mx"), families.of("submission"));
    let total = description(SeriesKind::Counter, "smtp_messages_total", &[("outcome", "accepted")]);
    mx.series(total.clone()).unwrap().add(2).unwrap();
    submission.series(total.clone()).unwrap().add(5).unwrap();
    // A new generation goes on with the series.
    let second = families.of("mx");
    second.series(total).unwrap().add(1).unwrap();
    drop(mx);
    let shown = text(&registry);
    assert!(shown.contains("dovetail_smtp_messages_total{outcome=\"accepted\",plugin=\"mx\"} 3\n"), "{shown}");
    assert!(shown.contains("dovetail_smtp_messages_total{outcome=\"accepted\",plugin=\"submission\"} 5\n"), "{shown}");
    drop(second);
    assert!(!text(&registry).contains("\"mx\""));
}

#[test]
fn gauges_and_histograms_show_what_they_got() {
    let (families, registry) = families();
    let store = families.of("store-sqlite");
    store.series(description(SeriesKind::Gauge, "store_messages", &[])).unwrap().set(-7).unwrap();
    store.series(description(SeriesKind::Gauge, "store_x", &[("a", "b")])).unwrap().set(1).unwrap();
    let times = store.series(description(SeriesKind::Histogram, "store_commit_seconds", &[])).unwrap();
    times.observe(0.7).unwrap();
    // What does not fit its kind changes nothing.
    times.add(1).unwrap();
    times.set(1).unwrap();
    let shown = text(&registry);
    assert!(shown.contains("dovetail_store_commit_seconds_bucket{plugin=\"store-sqlite\",le=\"1\"} 1\n"), "{shown}");
    assert!(shown.contains("dovetail_store_commit_seconds_bucket{plugin=\"store-sqlite\",le=\"0.5\"} 0\n"), "{shown}");
    assert_eq!(families.gauges("store-sqlite"), BTreeMap::from([("store_messages".to_owned(), -7)]));
    assert!(families.gauges("other").is_empty());
}

#[test]
fn what_breaks_the_rules_is_refused_with_the_cure() {
    let (families, _registry) = families();
    let mx = families.of("mx");
    mx.series(description(SeriesKind::Counter, "a_total", &[("x", "1")])).unwrap();
    let refused = |wanted: SeriesDescription, words: &str| match mx.series(wanted) {
        Ok(_) => panic!("{words}: taken"),
        Err(failure) => assert!(failure.message.contains(words), "{}", failure.message),
    };
    refused(description(SeriesKind::Counter, "A_total", &[]), "no name");
    refused(description(SeriesKind::Counter, "core_x_total", &[]), "no name");
    refused(description(SeriesKind::Counter, "a", &[]), "_total");
    refused(description(SeriesKind::Counter, "a_total", &[("y", "1")]), "same labels");
    refused(description(SeriesKind::Gauge, "a_total", &[("x", "1")]), "another kind");
    for label in ["plugin", "le", "job", "instance", "x y", ""] {
        refused(description(SeriesKind::Gauge, "g", &[(label, "1")]), "no label");
    }
    refused(description(SeriesKind::Gauge, "g", &[("x", &"v".repeat(MAX_TEXT + 1))]), "no label");
    let mut unsorted = description(SeriesKind::Histogram, "h", &[]);
    unsorted.buckets = vec![2.0, 1.0];
    refused(unsorted, "ascend");
    let mut many = description(SeriesKind::Histogram, "h", &[]);
    many.buckets = (0..=MAX_BUCKETS).map(|n| n as f64).collect();
    refused(many, "too large");
}

#[test]
fn the_number_of_series_is_bounded() {
    let (families, _registry) = families();
    let mx = families.of("mx");
    let one = |n: usize| mx.series(description(SeriesKind::Counter, "a_total", &[("x", &n.to_string())]));
    (0..MAX_SERIES).for_each(|n| assert!(one(n).is_ok()));
    assert!(one(MAX_SERIES).is_err());
    // One that is there is given again.
    assert!(one(0).is_ok());
}
