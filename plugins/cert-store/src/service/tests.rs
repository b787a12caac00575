use super::*;
use crate::folder::PairFiles;

fn serving(folder: &std::path::Path, default: Option<&str>) -> Serving {
    let default = default.map(|name| CertName::new(name).unwrap());
    Serving::new(Live::new(folder.to_owned(), default))
}

fn config(default: Option<&str>, create_missing: bool) -> Config {
    Config { dir: None, default: default.map(str::to_owned), create_missing }
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

#[tokio::test]
async fn whoever_waits_hears_of_a_new_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let about = About {
        instance: "certs".into(),
        hostname: "localhost".into(),
        data_dir: dir.path().to_owned(),
        config_dir: dir.path().to_owned(),
        purpose: Purpose::Serve,
        build: String::new(),
    };
    let serving = Arc::new(serving(dir.path(), None));
    let store = CertStore { about, serving: serving.clone() };
    let first = store.changed(0).await.unwrap();
    let (pair, _) = create(&CreateRequest::for_host("new.example"), OffsetDateTime::now_utc()).unwrap();
    let publishing = async {
        tokio::task::yield_now().await;
        publish(dir.path(), &pair, Existing::Refuse).unwrap();
        serving.refresh(Live::poll).unwrap();
    };
    let (generation, ()) = tokio::join!(store.changed(first), publishing);
    assert_eq!(generation, Ok(first + 1));
    assert!(store.resolve(None, Some("new.example".into())).unwrap().is_some());
}

#[test]
fn the_section_may_be_empty_and_the_folder_is_relative_to_the_config() {
    let about = About {
        instance: "certs".into(),
        hostname: "localhost".into(),
        data_dir: "/data".into(),
        config_dir: "/etc/mail".into(),
        purpose: Purpose::Serve,
        build: String::new(),
    };
    assert_eq!(Config::default().folder(&about), std::path::Path::new("/data/certs"));
    let config = Config { dir: Some("pairs".into()), ..Config::default() };
    assert_eq!(config.folder(&about), std::path::Path::new("/etc/mail/pairs"));
}
