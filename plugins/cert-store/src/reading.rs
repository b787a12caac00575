//! Reading many pairs: on several threads, for a folder of thousands would keep the server from starting.
//!
//! Fails pair by pair. Bounds: [`MAX_THREADS`], which end with the call.

use std::path::Path;

use time::OffsetDateTime;

use crate::identity::{Identity, Pair, PairError};
use crate::name::CertName;
use crate::prove::Proof;

/// The most threads that read.
pub const MAX_THREADS: usize = 8;
/// A thread isn't worth it for fewer pairs.
const PAIRS_A_THREAD: usize = 32;

/// Reads these pairs and proves them like this, in their order.
pub fn read(folder: &Path, names: &[&CertName], now: OffsetDateTime, proof: Proof) -> Vec<Result<Pair, PairError>> {
    let one = |name: &&CertName| {
        let (identity, stamp) = Identity::load_by(folder, name, now, proof)?;
        Ok(Pair { identity, stamp })
    };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = processors.min(MAX_THREADS).min(names.len() / PAIRS_A_THREAD);
    if threads < 2 {
        return names.iter().map(one).collect();
    }
    std::thread::scope(|scope| {
        let parts = names.chunks(names.len().div_ceil(threads));
        let reading: Vec<_> = parts.map(|part| scope.spawn(move || part.iter().map(one).collect::<Vec<_>>())).collect();
        let done = reading.into_iter().map(|thread| match thread.join() {
            Ok(pairs) => pairs,
            // It is the caller's panic as it would be without threads.
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::create::{create, CreateRequest};
    use crate::publish::{publish, Existing};

    #[test]
    fn many_come_back_in_their_order_good_and_bad() {
        let dir = tempfile::tempdir().unwrap();
        let now = OffsetDateTime::now_utc();
        let names: Vec<CertName> =
            (0..2 * PAIRS_A_THREAD).map(|n| CertName::new(&format!("n{n:03}")).unwrap()).collect();
        for name in &names {
            let request = CreateRequest { name: Some(name.clone()), ..CreateRequest::for_host("a.example") };
            publish(dir.path(), &create(&request, now).unwrap().0, Existing::Refuse).unwrap();
        }
        std::fs::write(dir.path().join("n010.key"), "no key").unwrap();
        let asked: Vec<&CertName> = names.iter().collect();
        for (name, read) in names.iter().zip(read(dir.path(), &asked, now, Proof::Comparison)) {
            match read {
                Ok(pair) => assert_eq!(pair.name(), name),
                Err(error) => assert!(error.key.ends_with("n010.key") && name.as_str() == "n010", "{error}"),
            }
        }
    }
}
