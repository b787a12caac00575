//! Clients that take the end of a connection for an answer like any other: servers are killed under them.

use super::letters::Letter;
use crate::harness::{DEADLINE, PASSWORD};
use data_encoding::BASE64;
use std::{
    io::{self, BufRead, BufReader, Write},
    net::{SocketAddr, TcpStream},
};

/// A connection that speaks lines.
pub struct Wire(pub BufReader<TcpStream>);

impl Wire {
    fn open(address: SocketAddr) -> io::Result<Wire> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        Ok(Wire(BufReader::new(stream)))
    }

    fn octets(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line)?;
        match line.ends_with(b"\r\n") {
            true => Ok(line),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    pub fn line(&mut self) -> io::Result<String> {
        Ok(String::from_utf8_lossy(&self.octets()?).trim_end().to_owned())
    }

    pub fn send(&mut self, octets: impl AsRef<[u8]>) -> io::Result<()> {
        self.0.get_mut().write_all(octets.as_ref())
    }
}

/// Somebody who sends mail.
pub struct Smtp(pub Wire);

/// What a server says at the end.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub code: u16,
    pub text: String,
}

impl Smtp {
    /// Connects and says EHLO.
    pub fn open(address: SocketAddr) -> io::Result<Smtp> {
        let mut smtp = Smtp(Wire::open(address)?);
        smtp.expect(220)?;
        smtp.0.send("EHLO client.example\r\n")?;
        smtp.expect(250)?;
        Ok(smtp)
    }

    /// Connects and logs in.
    pub fn log_in(address: SocketAddr, account: &str) -> io::Result<Smtp> {
        let mut smtp = Smtp::open(address)?;
        let claim = BASE64.encode(format!("\0{account}\0{PASSWORD}").as_bytes());
        smtp.0.send(format!("AUTH PLAIN {claim}\r\n"))?;
        smtp.expect(235)?;
        Ok(smtp)
    }

    /// The last line of an answer.
    pub fn answer(&mut self) -> io::Result<Answer> {
        loop {
            let line = self.0.line()?;
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let code = code.ok_or_else(|| io::Error::other(format!("not an answer: {line}")))?;
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Answer { code, text: line });
            }
        }
    }

    /// An answer that must have this code; a `421` is an end of the connection.
    pub fn expect(&mut self, code: u16) -> io::Result<()> {
        let answer = self.answer()?;
        match answer.code {
            421 => Err(io::ErrorKind::ConnectionAborted.into()),
            found => {
                assert_eq!(found, code, "{}", answer.text);
                Ok(())
            }
        }
    }

    /// Says MAIL, RCPT and DATA at once; gives the answer to DATA.
    pub fn offer(&mut self, sender: &str, recipients: &[&str]) -> io::Result<Answer> {
        let mut commands = format!("MAIL FROM:<{sender}>\r\n");
        for recipient in recipients {
            commands.push_str(&format!("RCPT TO:<{recipient}>\r\n"));
        }
        self.0.send(commands + "DATA\r\n")?;
        for _ in 0..=recipients.len() {
            self.expect(250)?;
        }
        self.answer()
    }

    /// Sends a letter; `step` is called after each piece. The answer is the one to DATA if that refuses.
    pub fn mail(
        &mut self,
        sender: &str,
        recipients: &[&str],
        letter: &Letter,
        mut step: impl FnMut(),
    ) -> io::Result<Answer> {
        let answer = self.offer(sender, recipients)?;
        if answer.code != 354 {
            return Ok(answer);
        }
        for piece in letter.wire().chunks(16 * 1024) {
            self.0.send(piece)?;
            step();
        }
        self.0.send(".\r\n")?;
        step();
        self.answer()
    }
}

/// Somebody who reads mail.
pub struct Pop(Wire);

impl Pop {
    /// Connects and logs in.
    pub fn log_in(address: SocketAddr, account: &str) -> io::Result<Pop> {
        let mut pop = Pop(Wire::open(address)?);
        pop.0.line()?;
        for command in [format!("USER {account}"), format!("PASS {PASSWORD}")] {
            let answer = pop.ask(&command)?;
            assert!(answer.starts_with("+OK"), "{command}: {answer}");
        }
        Ok(pop)
    }

    /// Sends a command, gives the first line of the answer.
    pub fn ask(&mut self, command: &str) -> io::Result<String> {
        self.0.send(format!("{command}\r\n"))?;
        self.0.line()
    }

    /// Numbers and unique-ids.
    pub fn list(&mut self) -> io::Result<Vec<(usize, String)>> {
        let answer = self.ask("UIDL")?;
        assert!(answer.starts_with("+OK"), "{answer}");
        let text = String::from_utf8(self.rest()?).unwrap();
        let pair = |line: &str| {
            let (number, id) = line.split_once(' ')?;
            Some((number.parse().ok()?, id.to_owned()))
        };
        Ok(text.lines().map(|line| pair(line).unwrap_or_else(|| panic!("UIDL says {line}"))).collect())
    }

    /// A message; nothing if the server has it no more.
    pub fn read(&mut self, number: usize) -> io::Result<Option<Vec<u8>>> {
        match self.ask(&format!("RETR {number}"))? {
            answer if answer.starts_with("+OK") => self.rest().map(Some),
            answer if answer.contains("has been removed") => Ok(None),
            answer => panic!("RETR {number}: {answer}"),
        }
    }

    fn rest(&mut self) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let line = self.0.octets()?;
            match line.strip_prefix(b".") {
                Some(b"\r\n") => return Ok(all),
                Some(line) => all.extend_from_slice(line),
                None => all.extend_from_slice(&line),
            }
        }
    }
}
