//! As little HTTP as a test needs.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use super::PATIENCE;

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

pub fn get(host: &str, path: &str) -> Answer {
    request(host, &format!("GET {path}"), &[])
}

/// One of the counters of `/metrics`.
pub fn counter(host: &str, name: &str) -> u64 {
    let metrics = get(host, "/metrics");
    assert_eq!(metrics.status, 200);
    let line = metrics.body.lines().find_map(|line| line.strip_prefix(&format!("tincan_{name} ")));
    line.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("no {name} in {}", metrics.body))
}

/// `first` is the method and the path.
pub fn request(host: &str, first: &str, headers: &[&str]) -> Answer {
    request_as(host, host, first, headers)
}

/// The same under another name of the host.
pub fn request_as(host: &str, name: &str, first: &str, headers: &[&str]) -> Answer {
    let mut stream = TcpStream::connect(host).expect("HTTP answers");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out above 0");
    let extra: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    write!(stream, "{first} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n{extra}\r\n").expect("HTTP reads");
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).expect("HTTP answers in time");
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole answer");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned()));
    Answer { status: status.expect("a status"), headers: headers.collect(), body: body.to_owned() }
}
