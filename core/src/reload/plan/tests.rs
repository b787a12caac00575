use super::super::shape::LibraryShape;
use super::*;

fn instance(name: &str, section: &str) -> InstanceShape {
    InstanceShape {
        name: name.into(),
        plugin: name.into(),
        library: LibraryShape { stamp: "1".into(), hash: None },
        section: section.into(),
        needs: BTreeSet::new(),
        exclusive: name.starts_with("store"),
        swapped: None,
    }
}

fn listener(name: &str, protocol: &str, idle: &str) -> ListenerShape {
    let options = [("protocol", protocol), ("idle_seconds", idle)];
    ListenerShape {
        name: name.into(),
        protocol: protocol.into(),
        tls: false,
        options: options.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    }
}

fn shape(instances: Vec<InstanceShape>, listeners: Vec<ListenerShape>) -> Shape {
    Shape { fixed: BTreeMap::new(), settings: BTreeMap::new(), instances, listeners, tls: Some("tls".into()) }
}

/// `name=change(why)` of all that is not kept.
fn told(running: &Shape, next: &Shape) -> Vec<String> {
    let plan = Plan::between(running, next, &BTreeSet::new());
    let changed = plan.steps.iter().filter(|step| step.change != Change::Kept);
    changed.map(|step| format!("{}={:?}({})", step.name, step.change, step.why)).collect()
}

#[test]
fn equal_shapes_change_nothing() {
    let one = shape(vec![instance("a", "1"), instance("store", "1")], vec![listener("l", "a", "1")]);
    assert!(told(&one, &one).is_empty());
}

#[test]
fn a_listener_changes_with_its_options_its_protocol_and_its_tls_provider() {
    let mut secure = listener("s", "b", "1");
    secure.tls = true;
    let instances = |a: &str, tls: &str| vec![instance("a", a), instance("b", "1"), instance("tls", tls)];
    let running = shape(instances("1", "1"), vec![listener("l", "a", "1"), listener("m", "b", "1"), secure.clone()]);
    let options = shape(instances("1", "1"), vec![listener("l", "a", "2"), listener("m", "b", "1"), secure.clone()]);
    assert_eq!(told(&running, &options), ["l=Changed(idle_seconds)"]);
    let protocol = shape(instances("2", "1"), vec![listener("l", "a", "1"), listener("m", "b", "1"), secure.clone()]);
    assert_eq!(told(&running, &protocol), ["a=Changed(section)", "l=Changed(instance `a`)"]);
    let tls = shape(instances("1", "2"), vec![listener("l", "a", "1"), listener("m", "b", "1"), secure]);
    assert_eq!(told(&running, &tls), ["tls=Changed(section)", "s=Changed(instance `tls`)"]);
}

#[test]
fn what_owns_files_is_restarted_in_its_place_and_cannot_be_renamed() {
    let running = shape(vec![instance("store", "1")], Vec::new());
    let next = shape(vec![instance("store", "2")], Vec::new());
    assert_eq!(told(&running, &next), ["store=Restarted(section)"]);
    let plan = Plan::between(&running, &next, &BTreeSet::new());
    assert!(plan.summary().starts_with("instances: 0 kept, 0 changed, 0 added, 0 removed, 1 restarted in place;"));
    let mut renamed = instance("store", "1");
    renamed.name = "store-2".into();
    let plan = Plan::between(&running, &shape(vec![renamed.clone()], Vec::new()), &BTreeSet::new());
    assert_eq!(plan.of(Kind::Instance, "store-2"), Some(Change::NeedsRestart));
    // A second one beside the first is as good as at a start.
    let both = shape(vec![instance("store", "1"), renamed], Vec::new());
    assert_eq!(told(&running, &both), ["store-2=Added()"]);
    // One that was removed and has not stopped yet.
    let plan = Plan::between(&shape(vec![], vec![]), &running, &BTreeSet::from(["store".to_owned()]));
    assert_eq!(plan.restarts().count(), 1);
}

#[test]
fn what_owns_files_needs_a_restart_for_another_library_or_where_sessions_hold_it() {
    let running = shape(vec![instance("store", "1")], Vec::new());
    let mut other = instance("store", "1");
    other.library.stamp = "2".into();
    assert_eq!(told(&running, &shape(vec![other], Vec::new())), ["store=NeedsRestart(library)"]);
    let mut other = instance("store", "1");
    other.plugin = "other".into();
    assert_eq!(told(&running, &shape(vec![other], Vec::new())), ["store=NeedsRestart(plugin)"]);
    let served = |section: &str| shape(vec![instance("store", section)], vec![listener("l", "store", "1")]);
    let told = |running: &Shape, next: &Shape| told(running, next)[0].clone();
    assert_eq!(told(&served("1"), &served("2")), "store=NeedsRestart(section)");
    assert_eq!(told(&running, &served("2")), "store=NeedsRestart(section)");
    let mut tls = shape(vec![instance("store", "2")], Vec::new());
    tls.tls = Some("store".into());
    assert_eq!(told(&running, &tls), "store=NeedsRestart(section)");
}

#[test]
fn a_pin_that_is_added_is_no_other_library() {
    let pinned = LibraryShape { stamp: "1".into(), hash: Some("h".into()) };
    let copied = LibraryShape { stamp: "2".into(), hash: Some("h".into()) };
    assert!(pinned.is(&LibraryShape { stamp: "1".into(), hash: None }));
    assert!(pinned.is(&copied));
    assert!(!copied.is(&LibraryShape { stamp: "1".into(), hash: None }));
}

#[test]
fn other_options_are_told_apart_by_what_can_be_done() {
    let mut running = shape(Vec::new(), Vec::new());
    running.fixed.insert("hostname".into(), "a".into());
    running.settings.insert("log".into(), "Info".into());
    let mut next = running.clone();
    next.fixed.insert("hostname".into(), "b".into());
    next.settings.insert("log".into(), "Debug".into());
    assert_eq!(told(&running, &next), ["hostname=NeedsRestart()", "log=Changed()"]);
}
