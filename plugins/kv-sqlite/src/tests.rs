//! The plugin as others see it.

use dovetail_sdk::kv::{Kv, KvErrorCode, KvFailure, KvSwap, MAX_KEY, MAX_NAMESPACE, MAX_VALUE};
use dovetail_sdk::operations::FieldValue;
use dovetail_testkit::{Started, TestHost};
use tempfile::TempDir;

use crate::service::Values;

struct Scene {
    host: TestHost,
    dir: TempDir,
    started: Started<Values>,
}

const NOW: u64 = 1_700_000_000_000;

async fn scene(section: &str) -> Scene {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new().directory(dir.path());
    host.set_unix_milliseconds(NOW);
    let started = host.start::<Values>(section, []).await.unwrap();
    Scene { host, dir, started }
}

impl Scene {
    fn kv(&self) -> Kv {
        self.started.query()
    }

    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        self.kv().get("n".into(), key.into()).await.unwrap().map(|entry| entry.value)
    }

    async fn put(&self, key: &str, value: &str, ttl: Option<u64>) -> Result<(), KvFailure> {
        self.kv().put("n".into(), key.into(), value.into(), ttl).await
    }

    async fn keys(&self, prefix: &str, after: Option<&str>, max: u32) -> Vec<String> {
        let entries = self.kv().list("n".into(), prefix.into(), after.map(Vec::from), max).await.unwrap();
        entries.into_iter().map(|entry| String::from_utf8(entry.key).unwrap()).collect()
    }

    async fn operate(&self, operation: &str, values: &[(&str, &str)]) -> Result<String, String> {
        let value =
            |(name, text): &(&str, &str)| FieldValue { name: (*name).into(), text: (*text).into(), bytes: None };
        let report = self.started.operate(operation, values.iter().map(value).collect()).await;
        let report = report.map_err(|failure| failure.message)?;
        let table = report.table.map_or_else(Vec::new, |table| table.rows.iter().map(|row| row.join("|")).collect());
        Ok([report.lines, table].concat().join("\n"))
    }
}

#[tokio::test]
async fn values_by_name() {
    let scene = scene("()").await;
    assert_eq!(scene.get("a").await, None);
    scene.put("a", "1", None).await.unwrap();
    scene.put("b", "2", Some(1000)).await.unwrap();
    assert_eq!((scene.get("a").await, scene.get("b").await), (Some(b"1".to_vec()), Some(b"2".to_vec())));
    assert_eq!(scene.kv().get("other".into(), b"a".to_vec()).await, Ok(None));
    let entry = scene.kv().get("n".into(), b"b".to_vec()).await.unwrap().unwrap();
    // The clock goes on while this runs.
    let expires_at = entry.expires_at.unwrap();
    assert!((NOW / 1000 + 1000..NOW / 1000 + 2000).contains(&expires_at), "{expires_at}");
    let swap = |expected: Option<&str>, value: &str| {
        let change = KvSwap {
            key: b"a".to_vec(),
            expected: expected.map(Vec::from),
            value: Some(value.into()),
            ttl_seconds: None,
        };
        scene.kv().swap("n".into(), change)
    };
    assert_eq!((swap(Some("2"), "3").await, swap(Some("1"), "3").await), (Ok(false), Ok(true)));
    assert_eq!(scene.get("a").await, Some(b"3".to_vec()));
    assert_eq!(scene.kv().remove("n".into(), b"a".to_vec()).await, Ok(true));
    assert_eq!(scene.kv().remove("n".into(), b"a".to_vec()).await, Ok(false));
    assert!(scene.host.panics().is_empty());
}

#[tokio::test]
async fn what_has_ended_is_not_there_and_is_swept() {
    let scene = scene("()").await;
    // The clock goes on while this runs, by less than a thousand seconds.
    scene.put("a", "1", Some(2000)).await.unwrap();
    scene.put("b", "1", Some(10_000)).await.unwrap();
    scene.put("c", "1", Some(u64::MAX)).await.unwrap();
    scene.host.set_unix_milliseconds(NOW + 1_000_000);
    assert!(scene.get("a").await.is_some());
    scene.host.set_unix_milliseconds(NOW + 3_000_000);
    assert_eq!((scene.get("a").await, scene.keys("", None, 9).await), (None, vec!["b".to_owned(), "c".to_owned()]));
    assert_eq!(scene.kv().remove("n".into(), b"a".to_vec()).await, Ok(false));
    scene.host.set_unix_milliseconds(NOW + 11_000_000);
    assert_eq!(scene.operate("list", &[]).await.unwrap(), "n|2");
    scene.started.plugin().sweep().await;
    assert_eq!(scene.operate("list", &[]).await.unwrap(), "n|1");
}

#[tokio::test]
async fn lists_go_on_behind_a_key() {
    let scene = scene("()").await;
    for key in ["a", "ab", "abc", "abd", "ac", "b"] {
        scene.put(key, "x", None).await.unwrap();
    }
    assert_eq!(scene.keys("ab", None, 9).await, ["ab", "abc", "abd"]);
    assert_eq!(scene.keys("ab", None, 2).await, ["ab", "abc"]);
    assert_eq!(scene.keys("ab", Some("abc"), 2).await, ["abd"]);
    assert_eq!(scene.keys("ab", Some("a"), 1).await, ["ab"]);
    assert_eq!(scene.keys("", Some("abd"), 9).await, ["ac", "b"]);
    assert!(scene.keys("ab", Some("z"), 9).await.is_empty() && scene.keys("", None, 0).await.is_empty());
    // Large values are listed some at a time, and nothing is left out.
    for n in 0..100 {
        scene.put(&format!("v{n:02}"), &"x".repeat(MAX_VALUE), None).await.unwrap();
    }
    let (mut after, mut seen) = ("v".to_owned(), 0);
    loop {
        let keys = scene.keys("v", Some(&after), 1000).await;
        let Some(last) = keys.last() else { break };
        assert!(keys.len() < 100);
        seen += keys.len();
        after.clone_from(last);
    }
    assert_eq!(seen, 100);
}

#[tokio::test]
async fn names_values_and_namespaces_have_limits() {
    let scene = scene("(max_entries: 2)").await;
    let put = |namespace: usize, key: usize, value: usize| {
        scene.kv().put("n".repeat(namespace), vec![b'k'; key], vec![b'v'; value], None)
    };
    for (namespace, key, value) in [(0, 1, 1), (MAX_NAMESPACE + 1, 1, 1), (1, MAX_KEY + 1, 1), (1, 1, MAX_VALUE + 1)] {
        assert_eq!(put(namespace, key, value).await.unwrap_err().code, KvErrorCode::TooLong);
    }
    put(MAX_NAMESPACE, MAX_KEY, MAX_VALUE).await.unwrap();
    put(1, 0, 0).await.unwrap();
    put(1, 1, 0).await.unwrap();
    let full = put(1, 2, 0).await.unwrap_err();
    assert!(full.code == KvErrorCode::Full && full.message.contains("max_entries"), "{full}");
    put(1, 1, 1).await.unwrap();
}

#[tokio::test]
async fn changes_that_come_together_are_all_made() {
    let scene = scene("()").await;
    let kv = scene.kv();
    let puts: Vec<_> =
        (0..500u32).map(|n| tokio::spawn(kv.put("n".into(), n.to_be_bytes().to_vec(), b"x".to_vec(), None))).collect();
    for put in puts {
        put.await.unwrap().unwrap();
    }
    let entries = kv.list("n".into(), vec![], None, u32::MAX).await.unwrap();
    assert_eq!(entries.len(), 500);
    let commits = scene.host.metric("kv_commits_total").unwrap();
    assert_eq!(scene.host.metric("kv_changes_total"), Some(500));
    assert!(commits < 500, "{commits} commits: they share them");
    // Of many that want to be the first, one is.
    let firsts: Vec<_> = (0..50u8)
        .map(|n| {
            let change = KvSwap { key: b"first".to_vec(), expected: None, value: Some(vec![n]), ttl_seconds: None };
            tokio::spawn(kv.swap("n".into(), change))
        })
        .collect();
    let mut won = 0;
    for first in firsts {
        won += usize::from(first.await.unwrap().unwrap());
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn it_is_there_after_a_restart_and_refused_after_a_stop() {
    let scene = scene("(file: \"deep/kv.sqlite\")").await;
    scene.put("a", "1", None).await.unwrap();
    let kv = scene.kv();
    scene.started.stop().await.unwrap();
    let refused = kv.put("n".into(), b"b".to_vec(), vec![], None).await.unwrap_err();
    assert_eq!(refused.code, KvErrorCode::Unavailable);
    let host = TestHost::new().directory(scene.dir.path());
    let started = host.start::<Values>("(file: \"deep/kv.sqlite\")", []).await.unwrap();
    let entry = started.query::<Kv>().get("n".into(), b"a".to_vec()).await.unwrap();
    assert_eq!(entry.unwrap().value, b"1");
}

#[tokio::test]
async fn operations() {
    let scene = scene("()").await;
    let at = [("namespace", "grey"), ("key", "192.0.2.1")];
    assert_eq!(scene.operate("list", &[]).await.unwrap(), "");
    let missing = scene.operate("get", &at).await.unwrap_err();
    assert!(missing.contains("grey has no key 192.0.2.1"), "{missing}");
    let put = [&at[..], &[("value", "hex:00ff"), ("seconds", "600000")]].concat();
    assert_eq!(scene.operate("put", &put).await.unwrap(), "192.0.2.1 of grey is set");
    scene.operate("put", &[("namespace", "grey"), ("key", "b"), ("value", "text")]).await.unwrap();
    assert_eq!(scene.operate("get", &at).await.unwrap(), "hex:00ff");
    assert_eq!(scene.operate("list", &[]).await.unwrap(), "grey|2");
    let all = [("namespace", "grey")];
    let listed = scene.operate("list", &all).await.unwrap();
    assert!(listed.starts_with("192.0.2.1|hex:00ff|in ") && listed.ends_with(" s\nb|text|never"), "{listed}");
    let some = [("namespace", "grey"), ("prefix", "b")];
    assert_eq!(scene.operate("list", &some).await.unwrap(), "b|text|never");
    let some = [("namespace", "grey"), ("after", "192.0.2.1")];
    assert_eq!(scene.operate("list", &some).await.unwrap(), "b|text|never");
    assert_eq!(scene.operate("remove", &at).await.unwrap(), "192.0.2.1 of grey is removed");
    assert!(scene.operate("remove", &at).await.is_err());
    assert_eq!(scene.operate("clear", &all).await.unwrap(), "1 entries of grey are removed");
    assert_eq!(scene.operate("list", &[]).await.unwrap(), "");
    assert!(scene.operate("x", &[]).await.unwrap_err().contains("no such operation"));
}
