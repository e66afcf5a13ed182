-- post.lua - wrk's side: post the sample event; print one line of JSON at the end.
-- Arguments after "--": the file to post, and "close" for a connection of its own per request.

function init(args)
    local file = assert(io.open(args[1], "rb"))
    wrk.method = "POST"
    wrk.path = "/events"
    wrk.body = file:read("*a")
    wrk.headers["Content-Type"] = "application/json"
    if args[2] == "close" then
        wrk.headers["Connection"] = "close"
    end
    file:close()
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests":%d,"duration_us":%d,"bad":%d,"failed":%d,"p50_us":%d,"p99_us":%d}\n',
        summary.requests, summary.duration, errors.status,
        errors.connect + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99)))
end
