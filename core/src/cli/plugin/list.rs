//! `dovetail plugin list`: the plugins that a server would find, without loading them.

use super::{
    super::{output, place, Common},
    inspect::json,
};
use crate::plugin::finder::Found;
use dovetail_abi::operations_v1::Table;

/// Prints them.
pub fn run(common: &Common) {
    let config = common.config.as_ref().and_then(|_| place::find(common).ok()).map(|(config, _)| config);
    let found = place::finder(common, config.as_ref()).all();
    if common.json {
        let list: Vec<_> = found.iter().map(|found| json(found, None)).collect();
        output::json(&serde_json::Value::from(list).to_string());
        return;
    }
    let row = |found: &Found| {
        let m = &found.manifest;
        vec![m.id.clone(), m.version.clone(), m.provides.join(" "), m.summary.clone(), found.path.display().to_string()]
    };
    let table = Table {
        columns: ["plugin", "version", "provides", "summary", "file"].map(str::to_owned).into(),
        rows: found.iter().map(row).collect(),
    };
    output::show_table(&table);
}
