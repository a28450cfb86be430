//! A link between two network namespaces: two TUN devices and a forwarder that holds each packet
//! back, and loses some. Kernels without netem have nothing else.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tun_rs::{DeviceBuilder, SyncDevice};

/// Largest packet that the devices carry.
const MTU: u16 = 1500;

/// Flows of TCP whose order is kept; all are forgotten when there are more.
const FLOWS: usize = 4096;

/// What the link does to each packet, in each direction.
#[derive(Clone, Copy)]
pub(crate) struct Weather {
    /// How long it takes at least: half the round trip.
    pub one_way: Duration,
    /// How much longer it may take, evenly spread. Datagrams overtake one another; the packets of
    /// one TCP connection do not, as with a queue that grows and shrinks.
    pub jitter: Duration,
    /// Share of the packets that is lost, from 0 to 1.
    pub loss: f64,
}

impl Weather {
    /// Nothing but the delay.
    pub(crate) fn calm(round_trip: Duration) -> Self {
        Self { one_way: round_trip / 2, jitter: Duration::ZERO, loss: 0.0 }
    }
}

/// A link between two named namespaces, until dropped.
pub(crate) struct Link {
    ended: Arc<AtomicBool>,
    ends: [(String, &'static str); 2],
}

/// A packet with its time and its number: the earliest first, and of those the first that came.
type Waiting = Reverse<(Instant, u64, Vec<u8>)>;

/// What waits for its time on one direction.
#[derive(Default)]
struct Queue {
    packets: Mutex<BinaryHeap<Waiting>>,
    arrived: Condvar,
}

impl Link {
    /// Joins two existing namespaces, each with its address (both of one /30).
    ///
    /// # Errors
    /// Without root, `/dev/net/tun` or `ip`.
    pub(crate) fn new(ends: [(&str, &str); 2], weather: Weather) -> io::Result<Self> {
        let ended = Arc::new(AtomicBool::new(false));
        let names = ["mxd-near", "mxd-far"];
        let near = Arc::new(device(names[0])?);
        let far = Arc::new(device(names[1])?);
        for ((namespace, address), device) in ends.into_iter().zip(names) {
            ip(&["link", "set", device, "netns", namespace])?;
            ip(&["-n", namespace, "address", "add", address, "dev", device])?;
            ip(&["-n", namespace, "link", "set", device, "up"])?;
        }
        carry(&near, &far, Sky::new(weather, 1), &ended);
        carry(&far, &near, Sky::new(weather, 2), &ended);
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

/// The weather of one direction as it falls out, the same in every run.
struct Sky {
    weather: Weather,
    state: u64,
    /// When the last packet of each TCP connection leaves.
    flows: HashMap<Vec<u8>, Instant>,
}

impl Sky {
    fn new(weather: Weather, seed: u64) -> Self {
        Self { weather, state: seed, flows: HashMap::new() }
    }

    /// When a packet leaves; none for one that is lost.
    fn fate(&mut self, now: Instant, packet: &[u8]) -> Option<Instant> {
        if self.random() < self.weather.loss {
            return None;
        }
        let extra = self.random();
        let due = now + self.weather.one_way + self.weather.jitter.mul_f64(extra);
        let Some(flow) = tcp_flow(packet) else { return Some(due) };
        if self.flows.len() == FLOWS {
            self.flows.clear();
        }
        let last = self.flows.entry(flow).or_insert(due);
        *last = due.max(*last);
        Some(*last)
    }

    /// From 0 to 1, by SplitMix64.
    fn random(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Addresses and ports, if it is TCP over IPv4: what the link carries is that, UDP, and ICMP.
fn tcp_flow(packet: &[u8]) -> Option<Vec<u8>> {
    let first = *packet.first()?;
    if first >> 4 != 4 || *packet.get(9)? != 6 {
        return None;
    }
    let header = usize::from(first & 15) * 4;
    let (addresses, ports) = (packet.get(12..20)?, packet.get(header..header + 4)?);
    Some([addresses, ports].concat())
}

/// Carries packets one way: one thread takes them in, one lets them out in time.
fn carry(from: &Arc<SyncDevice>, to: &Arc<SyncDevice>, mut sky: Sky, ended: &Arc<AtomicBool>) {
    let queue = Arc::new(Queue::default());
    let (from, to) = (Arc::clone(from), Arc::clone(to));
    {
        let (queue, ended) = (Arc::clone(&queue), Arc::clone(ended));
        std::thread::spawn(move || {
            let mut buffer = vec![0; usize::from(MTU)];
            for number in 0.. {
                let Ok(length) = from.recv(&mut buffer) else { break };
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                let packet = &buffer[..length];
                let Some(due) = sky.fate(Instant::now(), packet) else { continue };
                let waiting = Reverse((due, number, packet.to_vec()));
                queue.packets.lock().unwrap_or_else(PoisonError::into_inner).push(waiting);
                queue.arrived.notify_one();
            }
        });
    }
    let ended = Arc::clone(ended);
    std::thread::spawn(move || {
        while !ended.load(Ordering::Relaxed) {
            if let Some(packet) = queue.next() {
                // A packet lost because the other end is going down is a packet lost.
                let _ = to.send(&packet);
            }
        }
    });
}

impl Queue {
    /// The packet whose time has come; none when something may have changed meanwhile.
    fn next(&self) -> Option<Vec<u8>> {
        let mut packets = self.packets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let wait = match packets.peek() {
            Some(Reverse((due, ..))) if *due <= now => {
                return packets.pop().map(|Reverse((_, _, packet))| packet);
            }
            Some(Reverse((due, ..))) => due.duration_since(now),
            None => Duration::from_millis(200),
        };
        drop(self.arrived.wait_timeout(packets, wait));
        None
    }
}
