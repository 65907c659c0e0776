//! `carryout demo`: the page and packed folders over HTTP on this machine.
//!
//! A server for one person: GET and HEAD, one thread a connection, files only from the page inside the binary and
//! from the package folders, which are looked up by name and never by a path from outside.

use super::model::system;
use super::{Failure, Outcome, term};
use carryout::package::no_package;
use carryout::{Error, Kind};
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

include!(concat!(env!("OUT_DIR"), "/page.rs"));

const EXAMPLES: &str = "\
Examples:
  carryout demo
  carryout demo pkg/loan-approval
  carryout demo pkg --port 8080

A CSV beside a packed folder, of the same name (pkg/loan-approval.csv), is shown with its predictions; where it has \
the true answers too, the page says how good they are.

The server listens on 127.0.0.1 alone and ends with Ctrl-C. Nothing is sent anywhere: the page predicts in the \
browser.";

/// Serve a page that predicts with packed models as you fill in a form
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A packed folder, or a folder of packed folders
    #[arg(default_value = "pkg")]
    folder: PathBuf,
    /// The port; without it 4173 or, where that is taken, a free one. 0 is any free one
    #[arg(short, long)]
    port: Option<u16>,
}

const PORT: u16 = 4173;

/// What the page may do: its own files, and WebAssembly.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'";

/// Longest request head; browsers stay far below.
const LONGEST: u64 = 16 << 10;
/// Most connections at once.
const MOST: usize = 64;

struct Site {
    page: BTreeMap<&'static str, &'static [u8]>,
    /// Package folders by name.
    packages: BTreeMap<String, PathBuf>,
}

pub fn run(arguments: Arguments, json: bool) -> Outcome {
    let Arguments { folder, port } = arguments;
    let page: BTreeMap<_, _> = PAGE.iter().copied().collect();
    if !page.contains_key("index.html") {
        return Err(Error::new(Kind::Unsupported, "this carryout was built without the page")
            .remedy("Build it with `make build`, which makes the page first.")
            .into());
    }
    let site = Site { page, packages: packages(&folder)? };
    let listener = listen(port)?;
    let address = listener.local_addr()?;
    let mut out = io::stdout().lock();
    let names: Vec<&str> = site.packages.keys().map(String::as_str).collect();
    if json {
        writeln!(out, "{}", json!({ "url": format!("http://{address}/"), "packages": names }))?;
    } else {
        writeln!(out, "http://{address}/")?;
        writeln!(out, "  {}: {}", term::count(names.len(), "package"), term::printable(&names.join(", ")))?;
        writeln!(out, "  Ctrl-C ends it.")?;
    }
    out.flush()?;
    drop(out);
    serve(&listener, Arc::new(site));
    Ok(())
}

/// The packages to offer: the folder itself, or those in it.
fn packages(folder: &Path) -> Outcome<BTreeMap<String, PathBuf>> {
    let packed = |path: &Path| path.join("index.js").is_file() && path.join("model.wasm").is_file();
    let named = |path: &Path| {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path)
    };
    if packed(folder) {
        return Ok(BTreeMap::from([named(folder)]));
    }
    let mut found = BTreeMap::new();
    // A folder that is not there holds no package either.
    if folder.exists() {
        for entry in fs::read_dir(folder).map_err(|error| system(folder, &error))? {
            let path = entry.map_err(|error| system(folder, &error))?.path();
            if packed(&path) {
                let (name, path) = named(&path);
                found.insert(name, path);
            }
        }
    }
    if found.is_empty() {
        return Err(no_package(folder).into());
    }
    Ok(found)
}

fn listen(port: Option<u16>) -> Outcome<TcpListener> {
    let bind = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let bound = match port {
        Some(port) => bind(port),
        None => bind(PORT).or_else(|_| bind(0)),
    };
    bound.map_err(|error| {
        let port = port.unwrap_or(PORT);
        let text = error.to_string();
        let text = text.split(" (os error").next().unwrap_or_default().to_lowercase();
        Failure::Error(
            Error::new(Kind::Io, text)
                .at(format!("127.0.0.1:{port}"))
                .remedy("Choose another port with --port; 0 takes any free one."),
        )
    })
}

fn serve(listener: &TcpListener, site: Arc<Site>) {
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let Ok(stream) = stream else { continue };
        if open.fetch_add(1, Ordering::Relaxed) >= MOST {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (site, count) = (site.clone(), open.clone());
        let made = thread::Builder::new().spawn(move || {
            // A browser that went away is no event.
            let _ = answer(stream, &site);
            count.fetch_sub(1, Ordering::Relaxed);
        });
        if made.is_err() {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// One request, one answer.
fn answer(stream: TcpStream, site: &Site) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.set_write_timeout(Some(Duration::from_secs(60)))?;
    let mut reader = BufReader::new((&stream).take(LONGEST));
    let mut request = String::new();
    reader.read_line(&mut request)?;
    let mut host = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("host")
        {
            host = Some(value.trim().to_owned());
        }
    }
    let mut words = request.split_ascii_whitespace();
    let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let head = method == "HEAD";
    let local = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "127.0.0.1" | "localhost")
    };
    // Another name than this machine's is a page elsewhere that points its own name here (DNS rebinding).
    if !host.as_deref().is_some_and(local) {
        return send(&stream, "403 Forbidden", "text/plain", b"not this host\n", head);
    }
    if !head && method != "GET" {
        return send(&stream, "405 Method Not Allowed", "text/plain", b"only GET\n", head);
    }
    match site.find(target) {
        Some((kind, body)) => send(&stream, "200 OK", kind, &body, head),
        None => send(&stream, "404 Not Found", "text/plain", b"not found\n", head),
    }
}

fn send(mut stream: &TcpStream, status: &str, kind: &str, body: &[u8], head: bool) -> io::Result<()> {
    let header = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\ncontent-security-policy: {POLICY}\r\n\
         x-content-type-options: nosniff\r\ncache-control: no-cache\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(header.as_bytes())?;
    if !head {
        stream.write_all(body)?;
    }
    stream.flush()
}

impl Site {
    /// The media type and the bytes for a request target.
    fn find(&self, target: &str) -> Option<(&'static str, Vec<u8>)> {
        let path = target.split(['?', '#']).next()?.strip_prefix('/')?;
        let path = decode(path)?;
        if path == "packages.json" {
            let entry = |name: &String| {
                let path = format!("/packages/{}", encode(name));
                let rows = self.rows(name).map(|_| format!("{path}.csv"));
                json!({ "name": name, "path": format!("{path}/"), "rows": rows })
            };
            let list: Vec<_> = self.packages.keys().map(entry).collect();
            return Some((kind("packages.json"), serde_json::Value::from(list).to_string().into_bytes()));
        }
        if let Some(rest) = path.strip_prefix("packages/") {
            let Some((package, file)) = rest.split_once('/') else {
                let rows = self.rows(rest.strip_suffix(".csv")?)?;
                return Some((kind("rows.csv"), fs::read(rows).ok()?));
            };
            let folder = self.packages.get(package)?;
            // Packages are flat: one plain name, no separators, no dots in front.
            if file.starts_with('.') || file.contains(['/', '\\', ':', '\0']) {
                return None;
            }
            let file = folder.join(file);
            let whole = file.canonicalize().ok()?;
            // A link inside the folder does not lead out of it either.
            if whole.parent() != Some(folder) || !whole.is_file() {
                return None;
            }
            return Some((kind(&whole.to_string_lossy()), fs::read(&whole).ok()?));
        }
        let name = if path.is_empty() { "index.html" } else { &path };
        let body = self.page.get(name)?;
        Some((kind(name), body.to_vec()))
    }

    /// The rows to show: a CSV of the package's name beside its folder, and no link to elsewhere.
    fn rows(&self, package: &str) -> Option<PathBuf> {
        let file = self.packages.get(package)?.parent()?.join(format!("{package}.csv"));
        (file.is_file() && file.canonicalize().ok()? == file).then_some(file)
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "md" | "ts" | "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Undoes percent encoding; None where it is broken.
fn decode(path: &str) -> Option<String> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = (digit()?, digit()?);
        out.push((high * 16 + low) as u8);
    }
    String::from_utf8(out).ok()
}

fn encode(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~@".contains(&byte);
    name.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(folder: &Path) -> Site {
        let page = BTreeMap::from([("index.html", b"<p>".as_slice()), ("app.js", b"1")]);
        Site { page, packages: BTreeMap::from([("a b".to_owned(), folder.canonicalize().unwrap())]) }
    }

    #[test]
    fn only_the_page_and_the_packages_are_served() {
        let root = std::env::temp_dir().join(format!("carryout-demo-{}", std::process::id()));
        let folder = root.join("a b");
        fs::create_dir_all(folder.join("inner")).unwrap();
        fs::write(folder.join("index.js"), "export {}").unwrap();
        fs::write(folder.join(".npmrc"), "secret").unwrap();
        fs::write(root.join("secret"), "secret").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.join("secret"), folder.join("link")).unwrap();
        let site = site(&folder);
        let found = |target: &str| site.find(target).map(|(kind, body)| (kind, String::from_utf8(body).unwrap()));
        assert_eq!(found("/"), Some(("text/html; charset=utf-8", "<p>".into())));
        assert_eq!(found("/app.js?x"), Some(("text/javascript; charset=utf-8", "1".into())));
        let list = r#"[{"name":"a b","path":"/packages/a%20b/","rows":null}]"#;
        assert_eq!(found("/packages.json"), Some(("application/json", list.into())));
        assert_eq!(found("/packages/a%20b.csv"), None);
        #[cfg(unix)]
        {
            let rows = root.canonicalize().unwrap().join("a b.csv");
            std::os::unix::fs::symlink(root.join("secret"), &rows).unwrap();
            assert_eq!(found("/packages/a%20b.csv"), None);
            fs::remove_file(&rows).unwrap();
        }
        fs::write(root.join("a b.csv"), "x\n1\n").unwrap();
        fs::write(root.join("other.csv"), "secret").unwrap();
        let list = r#"[{"name":"a b","path":"/packages/a%20b/","rows":"/packages/a%20b.csv"}]"#;
        assert_eq!(found("/packages.json"), Some(("application/json", list.into())));
        assert_eq!(found("/packages/a%20b.csv"), Some(("text/csv; charset=utf-8", "x\n1\n".into())));
        let index = Some(("text/javascript; charset=utf-8", "export {}".into()));
        assert_eq!(found("/packages/a%20b/index.js"), index);
        for target in [
            "",
            "secret",
            "/secret",
            "/../secret",
            "/packages/../secret",
            "/packages/a%20b/../secret",
            "/packages/a%20b/..%2fsecret",
            "/packages/a%20b/%2e%2e/secret",
            "/packages/a%20b/..\\secret",
            "/packages/a%20b/.npmrc",
            "/packages/a%20b/inner",
            "/packages/a%20b/link",
            "/packages/a%20b/",
            "/packages/a%20b/index.js%00",
            "/packages/other/index.js",
            "/packages/other.csv",
            "/packages/..%2fa%20b.csv",
            "/%zz",
            "/%e9",
        ] {
            assert_eq!(found(target), None, "{target}");
        }
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn requests_over_a_socket() {
        let folder = std::env::temp_dir();
        let site = Arc::new(site(&folder));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || serve(&listener, site));
        let ask = |request: &str| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut answer = String::new();
            // Unread bytes of a request that is too long reset the connection.
            let _ = stream.read_to_string(&mut answer);
            (answer.lines().next().unwrap_or("").to_owned(), answer.split("\r\n\r\n").nth(1).unwrap_or("").to_owned())
        };
        let status = |request: &str| ask(request).0;
        assert_eq!(ask("GET / HTTP/1.1\r\nHost: localhost:1\r\n\r\n"), ("HTTP/1.1 200 OK".into(), "<p>".into()));
        assert_eq!(ask("HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), ("HTTP/1.1 200 OK".into(), String::new()));
        assert_eq!(status("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 404 Not Found");
        assert_eq!(status("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n"), "HTTP/1.1 405 Method Not Allowed");
        assert_eq!(status("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), "HTTP/1.1 403 Forbidden");
        assert_eq!(status("GET / HTTP/1.1\r\n\r\n"), "HTTP/1.1 403 Forbidden");
        assert_eq!(status(&format!("GET /{} HTTP/1.1\r\n", "x".repeat(20_000))), "");
    }
}
