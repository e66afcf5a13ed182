-- unique.lua - wrk's side: every request is another event, of the present time. Prints what post.lua prints, and p99.9.
-- Arguments after "--": the file with the sample event, a word that no other run has, and optionally how many
-- milliseconds a connection waits before each request.

local head, middle, tail, word -- thread_number is a global, as setup() can set no other
local stamp
local count = 0
local threads = 0

function setup(thread)
    thread:set("thread_number", threads)
    threads = threads + 1
end

function init(args)
    local file = assert(io.open(args[1], "rb"))
    local body = file:read("*a")
    file:close()
    word = args[2]
    local id, id_end = body:find('"id":"[^"]*"')
    local time, time_end = body:find('"time":"[^"]*"', id_end)
    head = body:sub(1, id - 1) .. '"id":"' .. word .. "-" .. thread_number .. "-"
    middle = '"' .. body:sub(id_end + 1, time - 1) .. '"time":"'
    tail = '"' .. body:sub(time_end + 1)
    if args[3] then
        function delay() -- wrk looks for it when init() has returned
            return tonumber(args[3])
        end
    end
    wrk.method = "POST"
    wrk.path = "/events"
    wrk.headers["Content-Type"] = "application/json"
end

function request()
    if count % 64 == 0 then
        stamp = os.date("!%Y-%m-%dT%H:%M:%SZ")
    end
    count = count + 1
    return wrk.format(nil, nil, nil, head .. count .. middle .. stamp .. tail)
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\n{"requests":%d,"duration_us":%d,"bad":%d,"failed":%d,"p50_us":%d,"p99_us":%d,"p999_us":%d}\n',
        summary.requests, summary.duration, errors.status,
        errors.connect + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
