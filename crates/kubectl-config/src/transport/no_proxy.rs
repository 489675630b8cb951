//! What is reached without a proxy, by Go's rules (`golang.org/x/net/http/httpproxy`).

use std::net::IpAddr;

/// Whether `NO_PROXY` excepts a host, a name or an address without brackets, and its port.
pub(crate) fn excepts(no_proxy: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.').to_lowercase();
    let address = host.parse::<IpAddr>().ok();
    no_proxy
        .split(',')
        .map(|entry| entry.trim().to_lowercase())
        .filter(|entry| !entry.is_empty())
        .any(|entry| matches(&entry, &host, address, port))
}

fn matches(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, length)) = entry.split_once('/') {
        let network = network.parse().ok().zip(length.parse().ok());
        return address
            .zip(network)
            .is_some_and(|(address, (network, length))| is_within(address, network, length));
    }
    let (name, wanted) = match entry.parse::<IpAddr>() {
        Ok(_) => (entry, None),
        Err(_) => with_port(entry),
    };
    if wanted.is_some_and(|wanted| wanted != port) {
        return false;
    }
    if let Ok(excepted) = name.parse::<IpAddr>() {
        return address == Some(excepted);
    }
    // `.a` and `*.a` are what lies below `a`; `a` is that and itself.
    let below = name.trim_start_matches('*');
    let domain = below.trim_start_matches('.');
    let lies_below = host
        .strip_suffix(domain)
        .is_some_and(|rest| rest.ends_with('.'));
    lies_below || (below == domain && host == domain)
}

fn with_port(entry: &str) -> (&str, Option<u16>) {
    match entry.rsplit_once(':') {
        Some((host, port)) => match port.parse() {
            Ok(port) => (host.trim_matches(['[', ']']), Some(port)),
            Err(_) => (entry, None),
        },
        None => (entry, None),
    }
}

fn is_within(address: IpAddr, network: IpAddr, length: u32) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => (
            u128::from(address.to_bits()),
            u128::from(network.to_bits()),
            32,
        ),
        (IpAddr::V6(address), IpAddr::V6(network)) => (address.to_bits(), network.to_bits(), 128),
        _ => return false,
    };
    let Some(rest) = u32::checked_sub(width, length) else {
        return false;
    };
    let prefix = |bits: u128| bits.checked_shr(rest).unwrap_or(0);
    prefix(address) == prefix(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_are_names_networks_and_ports() {
        let cases = [
            ("", "cluster.example", false),
            ("*", "cluster.example", true),
            ("*", "10.1.2.3", true),
            ("example", "cluster.example", true),
            ("EXAMPLE", "cluster.example.", true),
            (".example", "cluster.example", true),
            ("*.example", "cluster.example", true),
            ("cluster.example", "cluster.example", true),
            (".cluster.example", "cluster.example", false),
            ("*.cluster.example", "cluster.example", false),
            ("ter.example", "cluster.example", false),
            ("other.example, example", "cluster.example", true),
            ("cluster.example:6443", "cluster.example", true),
            ("cluster.example:443", "cluster.example", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("0.0.0.0/0", "11.1.2.3", true),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3:6443", "10.1.2.3", true),
            ("fd00::/8", "fd00::1", true),
            ("[fd00::1]:6443", "fd00::1", true),
            ("10.0.0.0/33", "10.1.2.3", false),
        ];
        for (no_proxy, host, expected) in cases {
            assert_eq!(
                excepts(no_proxy, host, 6443),
                expected,
                "{host}, `{no_proxy}`"
            );
        }
    }
}
