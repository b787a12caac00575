//! The TLS conformance suite of the testkit, on the providers of this build, loaded as the server loads them.
//!
//! `libdovetail_tls_openssl.so` needs a system library and is built by `cargo test --workspace`; where it is not there, its
//! tests say that they skip, and fail if the environment has `CI`.

use dovetail::{
    plugin::{
        host::InstanceHost,
        load::{load, Loaded},
        slot::Place,
    },
    telemetry::log::Log,
};
use dovetail_abi::{
    handle::Interface,
    kernel_v1::{Bound, PrepareInput, Purpose, Section, StartInput},
    tls_v1::Tls,
};
use dovetail_testkit::conformance::tls::{Instance, Starting, Subject};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

/// A library, loaded once for all tests.
struct Library(Loaded);

impl Library {
    /// The library of this file name from where cargo puts the plugins.
    fn open(name: &str) -> Option<Arc<dyn Subject>> {
        let path = Path::new(env!("CARGO_BIN_EXE_dovetail")).parent()?.join("deps").join(name);
        if !path.exists() {
            assert!(std::env::var_os("CI").is_none(), "{} is not built, and in CI nothing skips", path.display());
            return None;
        }
        let loaded = load(&path, None, None).unwrap_or_else(|error| panic!("{error}"));
        Some(Arc::new(Library(loaded)))
    }

    /// A service for each interface that the library requires: the suite's, else the host's.
    fn services(&self, host: &InstanceHost, given: &[Bound]) -> Result<Vec<Bound>, String> {
        let required = self.0.description.requires.iter().map(|required| required.id.to_string());
        let bind = |id: String| {
            if let Some(given) = given.iter().find(|given| given.id == id) {
                return Ok(given.clone());
            }
            let place = Place::default();
            place.fill(host.query(&id).ok_or_else(|| format!("nobody provides {id}"))?);
            Ok(Bound { id, provider: String::new(), slot: place.slot() })
        };
        required.map(bind).collect()
    }
}

impl Subject for Library {
    fn start(&self, services: Vec<Bound>) -> Starting<'_> {
        Box::pin(async move {
            let host = InstanceHost::new("tls", PathBuf::new(), Log::default());
            let input = PrepareInput {
                instance: "tls".into(),
                section: Section { file: "tls.ron".into(), line: 1, column: 1, text: "()".into() },
                hostname: "mail.example.org".into(),
                data_dir: String::new(),
                config_dir: String::new(),
                purpose: Purpose::Serve,
                build: self.0.build.clone(),
            };
            let prepared = self.0.prepare(input).map_err(|problems| format!("{problems:?}"))?;
            let services = self.services(&host, &services)?;
            let instance = prepared.start(StartInput { services }).await.map_err(|failure| failure.message)?;
            let offered = instance.query(Tls::ID.into()).map_err(|failure| failure.to_string())?;
            let tls: Tls = offered.ok_or("it provides no dovetail.tls/1")?.checked()?;
            Ok(Instance { tls, keep: Box::new((instance, host)) })
        })
    }
}

fn rustls() -> Option<Arc<dyn Subject>> {
    static LIBRARY: LazyLock<Option<Arc<dyn Subject>>> = LazyLock::new(|| Library::open("libdovetail_tls_rustls.so"));
    LIBRARY.clone()
}

fn openssl() -> Option<Arc<dyn Subject>> {
    static LIBRARY: LazyLock<Option<Arc<dyn Subject>>> = LazyLock::new(|| Library::open("libdovetail_tls_openssl.so"));
    LIBRARY.clone()
}

mod on_rustls {
    dovetail_testkit::tls_conformance!(crate::rustls());
}

mod on_openssl {
    dovetail_testkit::tls_conformance!(crate::openssl());
}

mod openssl_to_rustls {
    dovetail_testkit::tls_conformance_between!(crate::rustls(), crate::openssl());
}

mod rustls_to_openssl {
    dovetail_testkit::tls_conformance_between!(crate::openssl(), crate::rustls());
}
