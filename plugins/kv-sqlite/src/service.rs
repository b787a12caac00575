//! `dovetail.kv/1`: names and values checked, times made of durations, work handed to reader and writer.

use std::sync::Arc;

use dovetail_sdk::kv::{
    KvEntry, KvErrorCode, KvFailure, KvProvider, KvSwap, MAX_KEY, MAX_LIST, MAX_NAMESPACE, MAX_VALUE,
};
use dovetail_sdk::{task, time};

use crate::change::{Change, Done, Kind};
use crate::database::DatabaseError;
use crate::reader::{Namespace, Reader};
use crate::writer::Writer;

/// The values.
pub struct Values {
    reader: Arc<Reader>,
    writer: Arc<Writer>,
}

impl Values {
    /// Values that are open.
    pub fn new(reader: Arc<Reader>, writer: Arc<Writer>) -> Self {
        Values { reader, writer }
    }

    /// Finishes what was begun and closes the database.
    pub async fn close(&self) {
        self.reader.close();
        self.writer.stop().await;
    }

    /// All namespaces.
    pub async fn namespaces(&self) -> Result<Vec<Namespace>, KvFailure> {
        self.read(|reader| reader.namespaces()).await
    }

    /// Removes all entries of a namespace, and says how many there were.
    pub async fn clear(&self, namespace: String) -> Result<u64, KvFailure> {
        check_namespace(&namespace)?;
        self.change(namespace, Kind::Clear).await.map(|done| done.removed)
    }

    /// Removes what has ended, now.
    #[cfg(test)]
    pub async fn sweep(&self) {
        self.writer.sweep().await.expect("the writer runs");
    }

    async fn change(&self, namespace: String, kind: Kind) -> Result<Done, KvFailure> {
        self.writer.change(Change { namespace, kind }).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reader) -> Result<T, DatabaseError> + Send + 'static,
    ) -> Result<T, KvFailure> {
        let reader = self.reader.clone();
        match task::spawn_blocking(move || work(&reader)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(failed(error)),
            Err(error) => Err(failed(error)),
        }
    }
}

impl KvProvider for Values {
    async fn get(&self, namespace: String, key: Vec<u8>) -> Result<Option<KvEntry>, KvFailure> {
        check(&namespace, &key, None)?;
        let now = time::unix_milliseconds();
        self.read(move |reader| reader.get(&namespace, &key, now)).await
    }

    async fn put(
        &self,
        namespace: String,
        key: Vec<u8>,
        value: Vec<u8>,
        ttl_seconds: Option<u64>,
    ) -> Result<(), KvFailure> {
        check(&namespace, &key, Some(&value))?;
        self.change(namespace, Kind::Put { key, value, ends: ends(ttl_seconds) }).await.map(drop)
    }

    async fn swap(&self, namespace: String, change: KvSwap) -> Result<bool, KvFailure> {
        let KvSwap { key, expected, value, ttl_seconds } = change;
        check(&namespace, &key, value.as_deref())?;
        let done = self.change(namespace, Kind::Swap { key, expected, value, ends: ends(ttl_seconds) }).await?;
        Ok(done.changed)
    }

    async fn remove(&self, namespace: String, key: Vec<u8>) -> Result<bool, KvFailure> {
        check(&namespace, &key, None)?;
        let done = self.change(namespace, Kind::Remove { key }).await?;
        Ok(done.changed)
    }

    async fn list(
        &self,
        namespace: String,
        prefix: Vec<u8>,
        after: Option<Vec<u8>>,
        max: u32,
    ) -> Result<Vec<KvEntry>, KvFailure> {
        check(&namespace, &prefix, None)?;
        let now = time::unix_milliseconds();
        let max = max.min(MAX_LIST);
        self.read(move |reader| reader.list(&namespace, &prefix, after.as_deref(), max, now)).await
    }
}

/// When something ends that lasts so long, in milliseconds since 1970. What lasts longer than the clock goes is for ever.
fn ends(ttl_seconds: Option<u64>) -> Option<i64> {
    let milliseconds = i64::try_from(ttl_seconds?.checked_mul(1000)?).ok()?;
    time::unix_milliseconds().checked_add(milliseconds)
}

fn check(namespace: &str, key: &[u8], value: Option<&[u8]>) -> Result<(), KvFailure> {
    check_namespace(namespace)?;
    if key.len() > MAX_KEY {
        return Err(too_long(format!("a key of {} octets; {MAX_KEY} are allowed", key.len())));
    }
    match value {
        Some(value) if value.len() > MAX_VALUE => {
            Err(too_long(format!("a value of {} octets; {MAX_VALUE} are allowed", value.len())))
        }
        _ => Ok(()),
    }
}

fn check_namespace(namespace: &str) -> Result<(), KvFailure> {
    if namespace.is_empty() || namespace.len() > MAX_NAMESPACE {
        return Err(too_long(format!("a namespace has 1 to {MAX_NAMESPACE} octets, not {}", namespace.len())));
    }
    Ok(())
}

fn too_long(message: String) -> KvFailure {
    KvFailure { code: KvErrorCode::TooLong, message }
}

fn failed(error: impl std::fmt::Display) -> KvFailure {
    KvFailure { code: KvErrorCode::Failed, message: error.to_string() }
}
