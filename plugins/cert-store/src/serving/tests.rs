use super::*;
use crate::folder::PairFiles;
use crate::key::KeyType;
use dovetail_sdk::certs::CertsJudgeProvider;
use dovetail_testkit::TestHost;
use std::collections::HashSet;

fn serving(folder: &std::path::Path, default: Option<&str>) -> Serving {
    let default = default.map(|name| CertName::new(name).unwrap());
    Serving::new(Live::new(folder.to_owned(), default))
}

fn config(default: Option<&str>, create_missing: bool) -> Config {
    Config { default: default.map(str::to_owned), create_missing, ..Config::default() }
}

#[test]
fn makes_the_missing_certificate_once_and_serves_it() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("certs");
    let first = serving(&folder, None);
    first.open(&config(None, true), "localhost").unwrap();
    let id = first.resolve(None, Some("localhost")).unwrap().unwrap();
    let identity = first.load(id).unwrap().remove(0);
    assert_eq!((identity.name.as_str(), identity.chain.len()), ("localhost", 1));
    let leaf = crate::certificate::Certificate::from_der(&identity.chain[0]).unwrap();
    assert_eq!(leaf.alternative_names(), ["localhost", "127.0.0.1", "::1"]);
    let key = crate::key::PrivateKey::from_pkcs8(identity.key.expose()).unwrap();
    crate::prove::prove(&key, &leaf).unwrap();
    // The next start finds it.
    let second = serving(&folder, None);
    second.open(&config(None, true), "localhost").unwrap();
    let id = second.resolve(None, Some("localhost")).unwrap().unwrap();
    assert_eq!(second.load(id).unwrap()[0].chain, identity.chain);
}

#[test]
fn without_create_missing_nothing_is_made_and_nothing_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("certs");
    let serving = serving(&folder, None);
    serving.open(&config(None, false), "localhost").unwrap();
    assert!(!folder.exists());
    assert_eq!(serving.resolve(None, Some("localhost")), Ok(None));
    let said = serving.resolve(Some("mail"), None).unwrap_err().message;
    assert!(said.contains("no certificate \"mail\"") && said.contains("certs create"), "{said}");
    assert!(serving.load(1).is_err());
}

#[test]
fn a_certificate_that_somebody_named_is_not_silently_another_one() {
    let dir = tempfile::tempdir().unwrap();
    serving(dir.path(), None).open(&config(None, true), "one.example").unwrap();
    let error = serving(dir.path(), Some("two")).open(&config(Some("two"), true), "x").unwrap_err();
    assert!(error.message.contains("no certificate \"two\""), "{error:?}");
    // A pair that doesn't match is named with both files.
    let files = PairFiles::of(dir.path(), &CertName::new("one.example").unwrap());
    std::fs::write(&files.key, crate::key::KeyType::EcdsaP256.generate().unwrap().to_pem()).unwrap();
    let broken = serving(dir.path(), None);
    broken.open(&config(None, false), "x").unwrap();
    let said = broken.resolve(Some("one.example"), None).unwrap_err().message;
    assert!(said.contains("one.example.crt") && said.contains("one.example.key"), "{said}");
}

fn pair(name: &str, host: &str) -> crate::publish::Pair {
    let request = CreateRequest { name: Some(CertName::new(name).unwrap()), ..CreateRequest::for_host(host) };
    create(&request, OffsetDateTime::now_utc()).unwrap().0
}

#[tokio::test]
async fn whoever_waits_hears_of_a_new_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new();
    let serving = host.enter(|| Arc::new(serving(dir.path(), None)));
    let first = serving.changed(0).await.unwrap();
    let publishing = host.run(async {
        tokio::task::yield_now().await;
        publish(dir.path(), &pair("new", "new.example"), Existing::Refuse).unwrap();
        serving.refresh(How::Quick).await.unwrap();
    });
    let (generation, ()) = tokio::join!(serving.changed(first), publishing);
    assert_eq!(generation, Ok(first + 1));
    assert!(serving.resolve(None, Some("new.example")).unwrap().is_some());
}

/// Refuses what it is told to, by the fingerprint of the certificate; counts all it is asked.
#[derive(Clone, Default)]
struct Judge(Arc<Mutex<Opinion>>);

#[derive(Default)]
struct Opinion {
    refused: HashSet<Vec<u8>>,
    asked: Vec<String>,
}

impl Judge {
    fn refuse(&self, pem: &str) {
        let der = crate::testing::openssl(&["x509", "-outform", "DER"], pem.as_bytes());
        self.0.lock().unwrap().refused.insert(der);
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().asked)
    }
}

impl CertsJudgeProvider for Judge {
    async fn check(&self, identity: dovetail_sdk::certs::Identity) -> Result<Option<String>, CertsFailure> {
        let mut this = self.0.lock().unwrap();
        this.asked.push(identity.name);
        let refused = this.refused.contains(&identity.chain[0]);
        Ok(refused.then(|| "no handshake with this".to_owned()))
    }
}

/// Waits for what a task does.
async fn until(is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), waiting).await.unwrap();
}

#[tokio::test]
async fn a_judge_sees_each_pair_before_a_client_does() {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new();
    publish(dir.path(), &pair("a", "a.example"), Existing::Refuse).unwrap();
    let bad_at_start = pair("b", "b.example");
    publish(dir.path(), &bad_at_start, Existing::Refuse).unwrap();
    let serving = host.enter(|| Arc::new(serving(dir.path(), None)));
    host.enter(|| serving.open(&config(None, false), "x")).unwrap();
    assert!(serving.resolve(Some("b"), None).is_ok(), "there is nobody to ask yet");
    let judge = Judge::default();
    judge.refuse(&bad_at_start.certificate);
    host.enter(|| serving.judged_by(CertsJudge::new(judge.clone())));
    until(|| serving.resolve(Some("b"), None).is_err()).await;
    assert_eq!(judge.asked(), ["a", "b"]);
    let said = serving.resolve(Some("b"), None).unwrap_err().message;
    assert!(said.contains("b.crt") && said.contains("b.key") && said.contains("no handshake with this"), "{said}");

    // A later one keeps what is served; one that is good is served, and nobody else is asked about.
    let before = serving.resolve(Some("a"), None).unwrap();
    let bad = pair("a", "a.example");
    judge.refuse(&bad.certificate);
    publish(dir.path(), &bad, Existing::Replace).unwrap();
    let changes = host.run(serving.refresh(How::Whole)).await.unwrap();
    assert_eq!((changes.failed.len(), changes.any()), (1, false));
    assert_eq!(serving.resolve(Some("a"), None), Ok(before));
    publish(dir.path(), &pair("a", "a.example"), Existing::Replace).unwrap();
    host.run(serving.refresh(How::Whole)).await.unwrap();
    assert_ne!(serving.resolve(Some("a"), None), Ok(before));
    assert_eq!(judge.asked(), ["a", "a"]);

    // Another judge has another opinion.
    let gentle = Judge::default();
    host.enter(|| serving.judged_by(CertsJudge::new(gentle.clone())));
    until(|| serving.resolve(Some("b"), None).is_ok()).await;
    assert!(gentle.asked().contains(&"b".to_owned()));
    assert!(host.logged("no handshake with this"));
}

#[tokio::test]
async fn one_change_among_many_reads_and_judges_one_pair() {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new();
    for n in 0..40 {
        publish(dir.path(), &pair(&format!("n{n}"), &format!("n{n}.example")), Existing::Refuse).unwrap();
    }
    let serving = host.enter(|| Arc::new(serving(dir.path(), None)));
    host.enter(|| serving.open(&config(None, false), "x")).unwrap();
    let judge = Judge::default();
    host.enter(|| serving.judged_by(CertsJudge::new(judge.clone())));
    until(|| judge.0.lock().unwrap().asked.len() == 40).await;
    judge.asked();
    let read = "certs_pairs_read_total{outcome=\"good\"}";
    assert_eq!(host.metric(read), Some(40));
    let others: Vec<_> = (0..40).map(|n| serving.resolve(None, Some(&format!("n{n}.example")))).collect();
    publish(dir.path(), &pair("n7", "n7.example"), Existing::Replace).unwrap();
    host.run(serving.refresh(How::Whole)).await.unwrap();
    assert_eq!((host.metric(read), judge.asked()), (Some(41), vec!["n7".to_owned()]));
    for (n, before) in others.iter().enumerate() {
        let now = serving.resolve(None, Some(&format!("n{n}.example")));
        assert_eq!(now == *before, n != 7, "only what changed has another id");
    }
}

#[tokio::test]
async fn the_log_and_the_figures_tell() {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new();
    let request = CreateRequest { days: 10, ..CreateRequest::for_host("short.example") };
    let (short, certificate) = create(&request, OffsetDateTime::now_utc() - time::Duration::days(4)).unwrap();
    publish(dir.path(), &short, Existing::Refuse).unwrap();
    publish(dir.path(), &pair("long", "long.example"), Existing::Refuse).unwrap();
    let serving = host.enter(|| Arc::new(serving(dir.path(), None)));
    host.enter(|| serving.open(&config(None, false), "x")).unwrap();
    assert!(host.logged("\"short.example\" expires in 5 days") && !host.logged("\"long\" expires"));
    let end = Some(certificate.not_after.unix_timestamp());
    assert_eq!(host.metric("certs_soonest_not_after_seconds"), end);
    assert_eq!(host.metric("certs_not_after_seconds{certificate=\"short.example\"}"), end);
    assert_eq!((host.metric("certs_served"), host.metric("certs_generation")), (Some(2), Some(1)));
    std::fs::remove_file(dir.path().join("short.example.crt")).unwrap();
    std::fs::write(dir.path().join("long.crt"), "nothing").unwrap();
    host.run(serving.refresh(How::Whole)).await.unwrap();
    assert_eq!(host.metric("certs_not_after_seconds{certificate=\"short.example\"}"), Some(0));
    assert_ne!(host.metric("certs_soonest_not_after_seconds"), end);
    assert_eq!((host.metric("certs_served"), host.metric("certs_broken")), (Some(1), Some(1)));
    assert_eq!(host.metric("certs_reloads_total{outcome=\"failed\"}"), Some(1));
    assert!(host.logged("certificate withdrawn") && host.logged("long.crt"));
}

#[test]
fn the_keys_of_both_families_are_loaded_together() {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), &pair("mail", "mail.example"), Existing::Refuse).unwrap();
    let request = CreateRequest {
        name: Some(CertName::new("mail+rsa").unwrap()),
        key_type: KeyType::Rsa2048,
        ..CreateRequest::for_host("mail.example")
    };
    publish(dir.path(), &create(&request, OffsetDateTime::now_utc()).unwrap().0, Existing::Refuse).unwrap();
    let serving = serving(dir.path(), None);
    serving.open(&config(None, false), "x").unwrap();
    let id = serving.resolve(None, Some("mail.example")).unwrap().unwrap();
    let names: Vec<String> = serving.load(id).unwrap().into_iter().map(|identity| identity.name).collect();
    assert_eq!(names, ["mail", "mail+rsa"]);
}

#[tokio::test]
async fn what_a_start_puts_off_is_proved_after_it() {
    let dir = tempfile::tempdir().unwrap();
    let host = TestHost::new();
    publish(dir.path(), &pair("a", "a.example"), Existing::Refuse).unwrap();
    let serving = host.enter(|| Arc::new(serving(dir.path(), None)));
    host.enter(|| serving.live.open(OffsetDateTime::now_utc())).unwrap();
    let good = serving.resolve(Some("a"), None).unwrap();
    serving.unproved.store(true, Ordering::Relaxed);
    host.run(serving.prove_rest()).await;
    assert_eq!(serving.resolve(Some("a"), None), Ok(good));
    // A pair whose certificate is for another key, as no comparison lets it through.
    let served = serving.live.snapshot().pairs().next().cloned().unwrap();
    let key = KeyType::EcdsaP256.generate().unwrap();
    let identity =
        Identity { name: served.name().clone(), chain: served.identity.chain.clone(), key, chain_turn: None };
    let failed = unproved(vec![served.clone(), Arc::new(Pair { identity, stamp: served.stamp })]);
    assert_eq!(failed.len(), 1);
    assert!(failed[0].1.to_string().contains("doesn't belong to the certificate"));
    serving.withdraw(vec![(served, PairProblem::Refused { reason: "no".into() })]);
    assert!(serving.resolve(Some("a"), None).is_err());
}
