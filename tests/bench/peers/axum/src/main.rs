//! The same job with axum and the `jsonschema` crate: validate, transform, answer, one log line.
//!
//!     sluice-bench-axum THREADS PORT SCHEMA LOG
//!
//! Set up to be fast: each thread has a runtime, a listening socket and connections of its own, the
//! validator is compiled ahead, mimalloc allocates, and a thread writes the log.
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{mpsc, Arc};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{header, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde::Serialize;
use serde_json::Value;
use time::format_description::well_known::Rfc3339;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Clone)]
struct Shared {
    validator: Arc<jsonschema::Validator>,
    log: mpsc::SyncSender<Vec<u8>>,
}

#[derive(Serialize)]
struct Record<'a> {
    interaction_id: &'a Value,
    start_time: &'a Value,
    channel_type: &'a Value,
    queue_id: &'a Value,
    queue_name: &'a Value,
    customer_email: &'a Value,
    customer_name: &'a Value,
    attributes: &'a Value,
    processed_at: &'a str,
}

#[derive(Serialize)]
struct Refusal<'a> {
    error: &'a str,
    details: String,
}

#[derive(Serialize)]
struct Line<'a> {
    ts: &'a str,
    level: &'a str,
    event: &'a str,
    request_id: &'a str,
    event_id: Option<&'a str>,
    method: &'a str,
    path: &'a str,
    status: u16,
}

fn refusal(error: &str, details: impl ToString) -> (StatusCode, Vec<u8>) {
    let refusal = Refusal { error, details: details.to_string() };
    (StatusCode::BAD_REQUEST, serde_json::to_vec(&refusal).unwrap())
}

fn record(detail: &Value, now: &str) -> Vec<u8> {
    let null = Value::Null;
    let none = Value::Object(serde_json::Map::new());
    let interaction = &detail["interaction"];
    let at = |pointer: &str| interaction.pointer(pointer).unwrap_or(&null);

    serde_json::to_vec(&Record {
        interaction_id: at("/id"),
        start_time: at("/start_time"),
        channel_type: at("/channel_type"),
        queue_id: at("/routing/queue_id"),
        queue_name: at("/routing/queue_name"),
        customer_email: at("/customer/email"),
        customer_name: at("/customer/name"),
        attributes: interaction.get("attributes").unwrap_or(&none),
        processed_at: now,
    })
    .unwrap()
}

fn process(shared: &Shared, event: &Result<Value, serde_json::Error>, now: &str) -> (StatusCode, Vec<u8>) {
    let event = match event {
        Ok(event) => event,
        Err(error) => return refusal("Processing failed", error),
    };
    let Some(detail) = event.get("detail") else {
        return refusal("Processing failed", "Invalid EventBridge payload: missing 'detail' key");
    };
    match shared.validator.validate(detail) {
        Ok(()) => (StatusCode::OK, record(detail, now)),
        Err(error) => refusal("Schema validation failed", error),
    }
}

async fn events(State(shared): State<Shared>, body: Bytes) -> Response {
    let event = serde_json::from_slice::<Value>(&body);
    let now = time::OffsetDateTime::now_utc().format(&Rfc3339).unwrap();
    let id = uuid::Uuid::new_v4().to_string();
    let (status, answer) = process(&shared, &event, &now);
    let event_id = event.as_ref().ok().and_then(|event| event.get("id")).and_then(Value::as_str);
    let mut line = serde_json::to_vec(&Line {
        ts: &now,
        level: "info",
        event: "request",
        request_id: &id,
        event_id,
        method: "POST",
        path: "/events",
        status: status.as_u16(),
    })
    .unwrap();

    line.push(b'\n');
    let _ = shared.log.try_send(line);
    (
        status,
        [(header::CONTENT_TYPE, "application/json".to_owned()), (HeaderName::from_static("x-request-id"), id)],
        answer,
    )
        .into_response()
}

/// Lines that wait already share a write.
fn write_log(file: std::fs::File, lines: mpsc::Receiver<Vec<u8>>) {
    let mut out = std::io::BufWriter::with_capacity(64 * 1024, file);

    while let Ok(line) = lines.recv() {
        let _ = out.write_all(&line);
        while let Ok(line) = lines.try_recv() {
            let _ = out.write_all(&line);
        }
        let _ = out.flush();
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn listener(port: u16) -> std::net::TcpListener {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();

    socket.set_reuse_port(true).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], port)).into()).unwrap();
    socket.listen(1024).unwrap();
    socket.into()
}

fn serve(listener: std::net::TcpListener, shared: Shared) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();

    runtime.block_on(async {
        use axum::serve::ListenerExt;

        let listener = tokio::net::TcpListener::from_std(listener).unwrap().tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        let routes = axum::Router::new().route("/events", post(events)).with_state(shared);

        axum::serve(listener, routes).await.unwrap();
    });
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let threads: usize = arguments[1].parse().unwrap();
    let port: u16 = arguments[2].parse().unwrap();
    let schema: Value = serde_json::from_slice(&std::fs::read(&arguments[3]).unwrap()).unwrap();
    let file = std::fs::File::create(&arguments[4]).unwrap();
    let (log, lines) = mpsc::sync_channel(64 * 1024);
    let shared = Shared { validator: Arc::new(jsonschema::validator_for(&schema).unwrap()), log };
    let listeners: Vec<_> = (0..threads).map(|_| listener(port)).collect();

    std::thread::spawn(|| write_log(file, lines));
    println!("ready");
    let threads: Vec<_> = listeners
        .into_iter()
        .map(|listener| {
            let shared = shared.clone();
            std::thread::spawn(|| serve(listener, shared))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
