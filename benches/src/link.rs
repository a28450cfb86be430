//! A slow link between two network namespaces: two TUN devices and a forwarder that holds each
//! packet back. Kernels without netem have nothing else.

use std::collections::VecDeque;
use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tun_rs::{DeviceBuilder, SyncDevice};

/// Largest packet that the devices carry.
const MTU: u16 = 1500;

/// A link between two named namespaces, until dropped.
pub(crate) struct Link {
    ended: Arc<AtomicBool>,
    ends: [(String, &'static str); 2],
}

/// What waits for its time on one direction.
#[derive(Default)]
struct Queue {
    packets: Mutex<VecDeque<(Instant, Vec<u8>)>>,
    arrived: Condvar,
}

impl Link {
    /// Joins two existing namespaces, each with its address (both of one /30); each packet takes
    /// `one_way`, half the round trip.
    ///
    /// # Errors
    /// Without root, `/dev/net/tun` or `ip`.
    pub(crate) fn new(ends: [(&str, &str); 2], one_way: Duration) -> io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let names = ["mxd-near", "mxd-far"];
        let near = Arc::new(device(names[0])?);
        let far = Arc::new(device(names[1])?);
        for ((namespace, address), device) in ends.into_iter().zip(names) {
            ip(&["link", "set", device, "netns", namespace])?;
            ip(&["-n", namespace, "address", "add", address, "dev", device])?;
            ip(&["-n", namespace, "link", "set", device, "up"])?;
        }
        carry(&near, &far, one_way, &ended);
        carry(&far, &near, one_way, &ended);
        let [near, far] = ends.map(|(namespace, _)| namespace.to_owned());
        Ok(Self { ended, ends: [(near, names[0]), (far, names[1])] })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        for (namespace, device) in &self.ends {
            // The namespace may be gone already, and the device with it.
            let _ = ip(&["-n", namespace, "link", "delete", device]);
        }
    }
}

fn device(name: &str) -> io::Result<SyncDevice> {
    DeviceBuilder::new().name(name).mtu(MTU).build_sync()
}

/// Runs `ip` with those arguments.
pub(crate) fn ip(arguments: &[&str]) -> io::Result<()> {
    let output = Command::new("ip").args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("ip {}: {}", arguments.join(" "), said.trim())))
}

/// Carries packets one way: one thread takes them in, one lets them out in time.
fn carry(from: &Arc<SyncDevice>, to: &Arc<SyncDevice>, delay: Duration, ended: &Arc<AtomicBool>) {
    let queue = Arc::new(Queue::default());
    let (from, to) = (Arc::clone(from), Arc::clone(to));
    {
        let (queue, ended) = (Arc::clone(&queue), Arc::clone(ended));
        std::thread::spawn(move || {
            let mut buffer = vec![0; usize::from(MTU)];
            while !ended.load(Ordering::Relaxed) {
                let Ok(length) = from.recv(&mut buffer) else { break };
                let packet = (Instant::now() + delay, buffer[..length].to_vec());
                queue.packets.lock().unwrap_or_else(PoisonError::into_inner).push_back(packet);
                queue.arrived.notify_one();
            }
        });
    }
    let ended = Arc::clone(ended);
    std::thread::spawn(move || {
        while !ended.load(Ordering::Relaxed) {
            let mut packets = queue.packets.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((due, packet)) = packets.pop_front() else {
                let wait = queue.arrived.wait_timeout(packets, Duration::from_millis(200));
                drop(wait);
                continue;
            };
            drop(packets);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            // A packet lost because the other end is going down is a packet lost.
            let _ = to.send(&packet);
        }
    });
}
