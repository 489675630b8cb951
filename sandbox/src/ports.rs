//! Free ports on loopback for the components to listen on.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::files::FileError;
use crate::random;

/// The port of each component of one instance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Ports {
    pub(crate) api_server: u16,
    pub(crate) etcd: u16,
    pub(crate) etcd_peer: u16,
    pub(crate) kubelet: u16,
    pub(crate) kubelet_health: u16,
    pub(crate) controller_manager: u16,
    pub(crate) scheduler: u16,
    pub(crate) registry: u16,
}

/// The ports of the fake nodes' programs of one instance.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct FakeNodePorts {
    pub(crate) kwok: u16,
    pub(crate) keys: u16,
}

/// No ports could be chosen.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PortsError {
    /// Too few ports are free.
    #[error("fewer than {count} ports between {} and {} are free on loopback", range.start, range.end)]
    TooFew { count: usize, range: Range<u16> },
    /// The kernel returned no random numbers.
    #[error(transparent)]
    Random(#[from] FileError),
}

const COUNT: usize = 8;
const LOWEST: u16 = 20_000;

impl Ports {
    /// Chooses ports that are free and not used by another instance.
    ///
    /// They are below the range that the kernel uses for outgoing connections: otherwise a killed
    /// component could find its port in use when it is restarted.
    pub(crate) fn choose(used: &BTreeSet<u16>) -> Result<Self, PortsError> {
        let [
            api_server,
            etcd,
            etcd_peer,
            kubelet,
            kubelet_health,
            controller_manager,
            scheduler,
            registry,
        ] = choose(used)?;
        Ok(Self {
            api_server,
            etcd,
            etcd_peer,
            kubelet,
            kubelet_health,
            controller_manager,
            scheduler,
            registry,
        })
    }

    /// All ports of the instance.
    pub(crate) fn all(&self) -> [u16; COUNT] {
        [
            self.api_server,
            self.etcd,
            self.etcd_peer,
            self.kubelet,
            self.kubelet_health,
            self.controller_manager,
            self.scheduler,
            self.registry,
        ]
    }
}

impl FakeNodePorts {
    /// Chooses ports as [`Ports::choose`] does.
    pub(crate) fn choose(used: &BTreeSet<u16>) -> Result<Self, PortsError> {
        let [kwok, keys] = choose(used)?;
        Ok(Self { kwok, keys })
    }
}

/// Random ports that no other instance and no process uses.
fn choose<const COUNT: usize>(used: &BTreeSet<u16>) -> Result<[u16; COUNT], PortsError> {
    let range = LOWEST..first_ephemeral_port();
    let offset = u16::from_le_bytes(random::bytes()?);
    let free =
        |port: u16| !used.contains(&port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    pick(&range, offset, free).ok_or(PortsError::TooFew {
        count: COUNT,
        range,
    })
}

/// Walks once around `range` from `offset` and takes the first ports that are free.
fn pick<const COUNT: usize>(
    range: &Range<u16>,
    offset: u16,
    free: impl Fn(u16) -> bool,
) -> Option<[u16; COUNT]> {
    let length = range.end - range.start;
    let start = offset % length;
    let chosen: Vec<u16> = (0..length)
        .map(|step| {
            range.start
                + u16::try_from((u32::from(start) + u32::from(step)) % u32::from(length))
                    .unwrap_or(0)
        })
        .filter(|port| free(*port))
        .take(COUNT)
        .collect();
    chosen.try_into().ok()
}

fn first_ephemeral_port() -> u16 {
    const USUAL: u16 = 32_768;
    fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok())
        .filter(|first| *first > LOWEST + 1_000)
        .unwrap_or(USUAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_free_ports_and_wraps_around() {
        let picked = pick(&(100..120), 17, |port| port % 2 == 0).unwrap();
        assert_eq!(picked, [118, 100, 102, 104, 106, 108, 110, 112]);
    }

    #[test]
    fn says_when_too_few_are_free() {
        assert_eq!(pick::<8>(&(100..120), 0, |port| port < 107), None);
    }

    #[test]
    fn chosen_ports_avoid_taken_ones() {
        let first = Ports::choose(&BTreeSet::new()).unwrap();
        let second = Ports::choose(&first.all().into()).unwrap();
        assert!(first.all().iter().all(|port| !second.all().contains(port)));
    }
}
