//! Plugins' figures: `dovetail.host.metrics/1` on the registry.
//!
//! A series belongs to an instance, by the label `plugin`. It outlives a generation of the instance, so that counters go on
//! across a reload; with the last host of an instance its series go.
//!
//! **Bounds.** [`MAX_SERIES`] an instance, [`MAX_LABELS`] a series, [`MAX_BUCKETS`] a histogram, [`MAX_TEXT`] octets a text.

use dovetail_abi::{
    metrics_v1::{HostMetricsProvider, Series, SeriesDescription, SeriesFailure, SeriesKind, SeriesProvider},
    CallFailure,
};
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// So many series an instance may have.
pub const MAX_SERIES: usize = 300;
/// So many labels a series may have, besides `plugin`.
pub const MAX_LABELS: usize = 6;
/// So many buckets a histogram may have.
pub const MAX_BUCKETS: usize = 30;
/// No name, value or help text is longer.
pub const MAX_TEXT: usize = 256;

/// The label that says which instance a series belongs to.
const PLUGIN: &str = "plugin";

/// All series of plugins, by name.
pub struct Families {
    registry: Registry,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    families: BTreeMap<String, Family>,
    instances: BTreeMap<String, Instance>,
}

/// What is known of an instance.
#[derive(Default)]
struct Instance {
    hosts: usize,
    /// Names with the values of labels.
    series: BTreeSet<(String, Vec<String>)>,
}

/// All series of a name.
struct Family {
    labels: Vec<String>,
    series: Kind,
}

#[derive(Clone)]
enum Kind {
    Counter(IntCounterVec),
    Gauge(IntGaugeVec),
    Histogram(HistogramVec),
}

impl Families {
    pub(super) fn new(registry: &Registry) -> Self {
        Families { registry: registry.clone(), state: Mutex::default() }
    }

    /// The figures of an instance, for as long as what it gives lives.
    pub fn of(&'static self, instance: &str) -> InstanceMetrics {
        self.lock().instances.entry(instance.to_owned()).or_default().hosts += 1;
        InstanceMetrics { families: self, instance: instance.to_owned() }
    }

    /// What an instance's gauges without labels of their own show now, by name.
    pub fn gauges(&self, instance: &str) -> BTreeMap<String, i64> {
        let state = self.lock();
        let gauges = state.families.iter().filter_map(|(name, family)| match &family.series {
            Kind::Gauge(gauges) if family.labels == [PLUGIN] => Some((name, gauges)),
            _ => None,
        });
        let own = &state.instances.get(instance).map(|instance| &instance.series);
        gauges
            .filter(|(name, _)| own.is_some_and(|own| own.contains(&((*name).clone(), vec![instance.to_owned()]))))
            .map(|(name, gauges)| (name.clone(), gauges.with_label_values(&[instance]).get()))
            .collect()
    }

    fn series(&self, instance: &str, wanted: &SeriesDescription) -> Result<One, String> {
        check(wanted)?;
        let mut names = vec![PLUGIN.to_owned()];
        let mut values = vec![instance.to_owned()];
        let mut labels: Vec<_> = wanted.labels.iter().collect();
        labels.sort_by(|a, b| a.name.cmp(&b.name));
        for label in labels {
            names.push(label.name.clone());
            values.push(label.value.clone());
        }
        let mut state = self.lock();
        let key = (wanted.name.clone(), values);
        let own = state.instances.entry(instance.to_owned()).or_default();
        if !own.series.contains(&key) && own.series.len() >= MAX_SERIES {
            return Err(format!("`{instance}` has its {MAX_SERIES} series (give labels fewer values)"));
        }
        let family = match state.families.get(&wanted.name) {
            Some(family) if family.labels != names => {
                return Err(format!(
                    "`{}` has the labels {} elsewhere (give all series of a name the same labels)",
                    wanted.name,
                    family.labels.join(", ")
                ));
            }
            Some(family) => family.series.clone(),
            None => {
                let made = self.family(wanted, &names).map_err(|error| format!("`{}`: {error}", wanted.name))?;
                state.families.insert(wanted.name.clone(), Family { labels: names, series: made.clone() });
                made
            }
        };
        let one = {
            let values: Vec<&str> = key.1.iter().map(String::as_str).collect();
            match (&family, wanted.kind) {
                (Kind::Counter(all), SeriesKind::Counter) => One::Counter(all.with_label_values(&values)),
                (Kind::Gauge(all), SeriesKind::Gauge) => One::Gauge(all.with_label_values(&values)),
                (Kind::Histogram(all), SeriesKind::Histogram) => One::Histogram(all.with_label_values(&values)),
                _ => return Err(format!("`{}` is of another kind elsewhere (choose another name)", wanted.name)),
            }
        };
        if let Some(own) = state.instances.get_mut(instance) {
            own.series.insert(key);
        }
        Ok(one)
    }

    fn family(&self, wanted: &SeriesDescription, names: &[String]) -> prometheus::Result<Kind> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let opts = Opts::new(format!("dovetail_{}", wanted.name), wanted.help.clone());
        Ok(match wanted.kind {
            SeriesKind::Gauge => {
                let made = IntGaugeVec::new(opts, &names)?;
                self.registry.register(Box::new(made.clone()))?;
                Kind::Gauge(made)
            }
            SeriesKind::Histogram => {
                let opts = HistogramOpts::from(opts).buckets(wanted.buckets.clone());
                let made = HistogramVec::new(opts, &names)?;
                self.registry.register(Box::new(made.clone()))?;
                Kind::Histogram(made)
            }
            _ => {
                let made = IntCounterVec::new(opts, &names)?;
                self.registry.register(Box::new(made.clone()))?;
                Kind::Counter(made)
            }
        })
    }

    fn leave(&self, instance: &str) {
        let mut state = self.lock();
        let Some(known) = state.instances.get_mut(instance) else { return };
        known.hosts = known.hosts.saturating_sub(1);
        if known.hosts > 0 {
            return;
        }
        let gone = state.instances.remove(instance).unwrap_or_default();
        for (name, values) in gone.series {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            // A series that is gone already is no matter.
            let _ = match state.families.get(&name).map(|family| &family.series) {
                Some(Kind::Counter(all)) => all.remove_label_values(&values),
                Some(Kind::Gauge(all)) => all.remove_label_values(&values),
                Some(Kind::Histogram(all)) => all.remove_label_values(&values),
                None => Ok(()),
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The figures of one instance.
pub struct InstanceMetrics {
    families: &'static Families,
    instance: String,
}

impl Drop for InstanceMetrics {
    fn drop(&mut self) {
        self.families.leave(&self.instance);
    }
}

impl HostMetricsProvider for InstanceMetrics {
    fn series(&self, description: SeriesDescription) -> Result<Series, SeriesFailure> {
        let made = self.families.series(&self.instance, &description);
        made.map(Series::new).map_err(|message| SeriesFailure { message })
    }
}

/// One series.
enum One {
    Counter(IntCounter),
    Gauge(IntGauge),
    Histogram(Histogram),
}

impl SeriesProvider for One {
    fn add(&self, by: u64) -> Result<(), CallFailure> {
        if let One::Counter(counter) = self {
            counter.inc_by(by);
        }
        Ok(())
    }
    fn set(&self, value: i64) -> Result<(), CallFailure> {
        if let One::Gauge(gauge) = self {
            gauge.set(value);
        }
        Ok(())
    }
    fn observe(&self, value: f64) -> Result<(), CallFailure> {
        if let One::Histogram(histogram) = self {
            histogram.observe(value);
        }
        Ok(())
    }
}

/// Whether a description keeps the rules.
fn check(wanted: &SeriesDescription) -> Result<(), String> {
    let is_name = |name: &str| {
        name.len() <= MAX_TEXT
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let name = &wanted.name;
    if !is_name(name) || name.starts_with("core_") {
        return Err(format!("{name:?} is no name for a figure (use a-z, 0-9 and _; not core_... as the first)"));
    }
    if wanted.kind == SeriesKind::Counter && !name.ends_with("_total") {
        return Err(format!("`{name}` counts (end the name in _total)"));
    }
    if wanted.labels.len() > MAX_LABELS || wanted.buckets.len() > MAX_BUCKETS || wanted.help.len() > MAX_TEXT {
        return Err(format!(
            "`{name}` is too large (at most {MAX_LABELS} labels, {MAX_BUCKETS} buckets, {MAX_TEXT} octets of help)"
        ));
    }
    for label in &wanted.labels {
        let taken = [PLUGIN, "le", "job", "instance"].contains(&label.name.as_str());
        if !is_name(&label.name) || taken || label.value.len() > MAX_TEXT {
            return Err(format!(
                "`{name}`: {:?} is no label (use a-z, 0-9 and _; not plugin, le, job, instance)",
                label.name
            ));
        }
    }
    if !wanted.buckets.iter().all(|bound| bound.is_finite()) || !wanted.buckets.is_sorted() {
        return Err(format!("`{name}`: the buckets do not ascend (sort them)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
