//! Names of a test's own: a name server that answers as it is told, and the files that a host reads.

use std::{
    collections::HashMap,
    fs,
    net::{IpAddr, UdpSocket},
    os::fd::AsFd,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// What the server says about a name.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Its addresses, of both families.
    Addresses(Vec<IpAddr>),
    /// Its texts.
    Texts(Vec<String>),
    /// It is another name, about which nothing is said.
    Alias(&'static str),
    /// An address, as an answer about another name.
    Misplaced(IpAddr),
    /// An address outside of the answers.
    Additional(IpAddr),
    /// It failed.
    Fails,
    /// Nothing, ever.
    Nothing,
    /// Bytes that are no answer.
    Garbage,
}

/// A name server; whom it was not told of is unknown.
#[derive(Debug, Clone, Default)]
pub struct Names(Arc<Mutex<HashMap<String, Answer>>>);

impl Names {
    /// Answers at this address inside a network namespace, until the test ends.
    pub fn serve(namespace: &str, at: &str) -> Self {
        let names = Self::default();
        let (serving, at) = (names.clone(), format!("{at}:53"));
        let namespace = fs::File::open(format!("/run/netns/{namespace}")).expect("a namespace");
        let (bound, is_bound) = std::sync::mpsc::channel();
        thread::spawn(move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("root");
            let socket = UdpSocket::bind(at).expect("a free port");
            bound.send(()).expect("the test waits");
            let mut packet = [0; 1500];
            while let Ok((bytes, from)) = socket.recv_from(&mut packet) {
                if let Some(reply) = serving.reply(&packet[..bytes]) {
                    let _ = socket.send_to(&reply, from);
                }
            }
        });
        is_bound.recv().expect("it is bound");
        names
    }

    pub fn set(&self, name: &str, answer: Answer) {
        self.0.lock().expect("no panic").insert(name.to_owned(), answer);
    }

    fn reply(&self, query: &[u8]) -> Option<Vec<u8>> {
        let (labels, kind, question) = question(query)?;
        let name = labels.join(".").to_lowercase();
        let answer = self.0.lock().expect("no panic").get(&name).cloned();
        let (mut code, mut answers, mut additional) = (0, Vec::new(), Vec::new());
        match answer {
            None => code = 3,
            Some(Answer::Fails) => code = 2,
            Some(Answer::Nothing) => return None,
            Some(Answer::Garbage) => return Some([&query[..2], &[0x81, 0x80, 0xff, 0xff, 0xff]].concat()),
            Some(Answer::Addresses(all)) => answers.extend(all.iter().filter_map(|ip| address(&name, *ip, kind))),
            Some(Answer::Texts(all)) if kind == 16 => {
                let text = |text: &String| record(ASKED, 16, &[&[text.len() as u8], text.as_bytes()].concat());
                answers.extend(all.iter().map(text));
            }
            Some(Answer::Texts(_)) => {}
            Some(Answer::Alias(other)) => answers.push(record(&name, 5, &written(other))),
            Some(Answer::Misplaced(ip)) => answers.extend(address("misplaced.test", ip, kind)),
            Some(Answer::Additional(ip)) => additional.extend(address(&name, ip, kind)),
        }
        let counts = [1, answers.len() as u16, 0, additional.len() as u16];
        let mut reply = [&query[..2], &[0x81, 0x80 | code]].concat();
        reply.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
        reply.extend_from_slice(question);
        answers.iter().chain(&additional).for_each(|record| reply.extend_from_slice(record));
        Some(reply)
    }
}

fn question(query: &[u8]) -> Option<(Vec<String>, u16, &[u8])> {
    let (mut at, mut labels) = (12, Vec::new());
    while *query.get(at)? > 0 {
        let end = at + 1 + query[at] as usize;
        labels.push(String::from_utf8_lossy(query.get(at + 1..end)?).into_owned());
        at = end;
    }
    let kind = u16::from_be_bytes([*query.get(at + 1)?, *query.get(at + 2)?]);
    Some((labels, kind, query.get(12..at + 5)?))
}

/// The name in the question. Written out each time, an answer would be longer than a datagram may be.
const ASKED: &str = "";

fn written(name: &str) -> Vec<u8> {
    if name == ASKED {
        return vec![0xc0, 12];
    }
    let labels = name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    labels.chain([0]).collect()
}

fn record(name: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let fixed = [kind.to_be_bytes(), 1_u16.to_be_bytes(), [0, 0], [0, 1], (data.len() as u16).to_be_bytes()];
    [written(name), fixed.concat(), data.to_vec()].concat()
}

fn address(name: &str, ip: IpAddr, kind: u16) -> Option<Vec<u8>> {
    match ip {
        IpAddr::V4(ip) if kind == 1 => Some(record(name, 1, &ip.octets())),
        IpAddr::V6(ip) if kind == 28 => Some(record(name, 28, &ip.octets())),
        _ => None,
    }
}

/// The files of `/etc` that programs in a namespace see: `ip netns exec` puts them there.
#[derive(Debug)]
pub struct Etc(PathBuf);

impl Etc {
    /// A host that asks this name server.
    pub fn of(namespace: &str, server: &str) -> Self {
        let etc = Self(PathBuf::from("/etc/netns").join(namespace));
        fs::create_dir_all(&etc.0).expect("root");
        etc.name_server(server);
        etc.hosts("");
        fs::write(etc.0.join("nsswitch.conf"), "hosts: files dns\n").expect("root");
        etc
    }

    pub fn name_server(&self, address: &str) {
        self.name_servers(&[address]);
    }

    pub fn name_servers(&self, addresses: &[&str]) {
        let lines: String = addresses.iter().map(|address| format!("nameserver {address}\n")).collect();
        fs::write(self.0.join("resolv.conf"), lines).expect("root");
    }

    pub fn hosts(&self, lines: &str) {
        fs::write(self.0.join("hosts"), format!("127.0.0.1 localhost\n{lines}")).expect("root");
    }
}

impl Drop for Etc {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        // Where it was made for this.
        let _ = fs::remove_dir("/etc/netns");
    }
}
