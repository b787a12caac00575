//! What a service manager is told: `Type=notify-reload`.

use super::{echo, greeting, listener};
use crate::harness::DEADLINE;
use std::os::unix::net::UnixDatagram;

#[test]
fn the_service_manager_hears_of_start_reload_and_stop() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(DEADLINE)).unwrap();
    let hear = || {
        let mut room = [0; 1000];
        let length = manager.recv(&mut room).unwrap();
        String::from_utf8(room[..length].to_vec()).unwrap()
    };
    let setup = echo(&greeting("e", "old"), &listener("l", "e")).env("NOTIFY_SOCKET", path.to_str().unwrap());
    let server = setup.start();
    assert_eq!(hear(), "READY=1\nSTATUS=serving");
    server.signal("HUP");
    let reloading = hear();
    let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap_or_else(|| panic!("{reloading}"));
    assert!(time.parse::<u64>().unwrap() > 0);
    assert_eq!(hear(), "READY=1\nSTATUS=serving, reloaded");
    // A config that changes nothing ends the reload too.
    server.rewrite("(");
    server.signal("HUP");
    assert!(hear().starts_with("RELOADING=1\n"));
    assert!(hear().starts_with("READY=1\nSTATUS=serving; the last reload failed"));
    server.stop();
    assert_eq!(hear(), "STOPPING=1");
}
