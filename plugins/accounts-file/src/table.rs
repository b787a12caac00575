//! A map that keeps the order of its file and refuses a key that stands there twice.
//!
//! An ordinary map would let one of two equal keys vanish without a word, and would sort what a person has ordered.

use serde::{
    de::{Error as _, MapAccess, Visitor},
    Deserialize, Deserializer, Serialize, Serializer,
};
use std::{collections::HashSet, fmt, hash::Hash, marker::PhantomData};

/// Keys and values in file order. Lookups walk; it is for reading and rewriting the file, not for serving.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<K, V>(Vec<(K, V)>);

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Table(Vec::new())
    }
}

impl<K: PartialEq, V> Table<K, V> {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The value of a key, to change.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        self.0.iter_mut().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// Appends an entry; false, and no change, if the key is there already.
    pub fn add(&mut self, key: K, value: V) -> bool {
        let new = self.0.iter().all(|(k, _)| *k != key);
        if new {
            self.0.push((key, value));
        }
        new
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.0.iter().position(|(k, _)| k == key)?;
        Some(self.0.remove(at).1)
    }

    /// Keeps the entries that `keep` likes, after letting it change them.
    pub fn retain_mut(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }
}

impl<K: Serialize, V: Serialize> Serialize for Table<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

impl<'de, K, V> Deserialize<'de> for Table<K, V>
where
    K: Deserialize<'de> + Clone + Eq + Hash + fmt::Display,
    V: Deserialize<'de>,
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

struct Entries<K, V>(PhantomData<fn() -> (K, V)>);

impl<'de, K, V> Visitor<'de> for Entries<K, V>
where
    K: Deserialize<'de> + Clone + Eq + Hash + fmt::Display,
    V: Deserialize<'de>,
{
    type Value = Table<K, V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map, { \"key\": value }")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut seen = HashSet::new();
        let mut entries = Vec::new();
        while let Some(key) = map.next_key::<K>()? {
            if entries.len() == MAX_ENTRIES {
                return Err(A::Error::custom(format!("more than {MAX_ENTRIES} entries")));
            }
            if !seen.insert(key.clone()) {
                return Err(A::Error::custom(format!("{key} stands here twice; remove one")));
            }
            entries.push((key, map.next_value()?));
        }
        Ok(Table(entries))
    }
}

/// Most entries of one map. A directory of more belongs into a database.
const MAX_ENTRIES: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order_and_refuses_the_second() {
        let table: Table<String, u8> = ron::from_str(r#"{"b": 1, "a": 2}"#).unwrap();
        assert_eq!(table.iter().map(|(k, _)| k.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(ron::to_string(&table).unwrap(), r#"{"b":1,"a":2}"#);
        let error = ron::from_str::<Table<String, u8>>(r#"{"b": 1, "b": 2}"#).unwrap_err();
        assert!(error.to_string().contains("b stands here twice"), "{error}");
    }

    #[test]
    fn entries_change() {
        let mut table = Table::default();
        assert!(table.add("a", 1));
        assert!(!table.add("a", 2));
        *table.get_mut(&"a").unwrap() += 5;
        assert_eq!(table.remove(&"a"), Some(6));
        assert_eq!(table.remove(&"a"), None);
        assert!(table.is_empty());
    }
}
