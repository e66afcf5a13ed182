/*
 * fetch.c - see fetch.h. The only user of libcurl.
 *
 * One request at a time runs on libcurl's multi interface, because only that can be woken from
 * another thread.
 */
#include "base/fetch.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/chars.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/secret.h"
#include "base/trust.h"
#include "base/version.h"

enum {
    IDLE_CONNECTIONS = 4,   /* kept open by a client */
    CONNECTION_AGE_S = 300, /* then it is closed, because the address of a name may change */
    POLL_MS = 1000,         /* libcurl wakes up earlier for its own timers */
    REST_MAX = 1024 * 1024, /* bytes that may follow the status line with `status_only`, */
    REST_US = US_PER_S,     /* and the time they may take */
    FIRST_FINAL_STATUS = 200,
};

struct fetch_client {
    CURLM *multi;
    CURL *easy;
    char *ca_file; /* of the connections that are kept; NULL: there are none yet */
    atomic_bool interrupted;
};

const char *fetch_library_version(void)
{
    return curl_version();
}

bool fetch_init(struct error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return fail(err, ERR_SYSTEM, "libcurl does not start");
    return true;
}

void fetch_answer_init(struct fetch_answer *answer, size_t max_body)
{
    *answer = (struct fetch_answer){ 0 };
    buf_init(&answer->body, max_body);
    buf_init(&answer->head, FETCH_HEAD_MAX);
}

void fetch_answer_done(struct fetch_answer *answer)
{
    buf_done(&answer->body);
    buf_done(&answer->head);
}

struct str fetch_answer_header(const struct fetch_answer *answer, const char *name)
{
    struct str rest = buf_str(&answer->head);
    struct str found = STR_NONE;

    while (rest.len > 0) {
        struct str line = take_until(&rest, '\n');

        if (str_ends_with(line, STR("\r")))
            line.len--;

        struct str value = line;
        struct str key = take_until(&value, ':');

        if (key.len < line.len && str_equal_ignore_case(key, str_from_c(name)))
            found = str_trim(value);
    }
    return found;
}

struct fetch_client *fetch_client_create(void)
{
    struct fetch_client *client = mem_alloc(sizeof(*client));

    client->multi = curl_multi_init();
    client->easy = curl_easy_init();
    atomic_init(&client->interrupted, false);
    if (client->multi)
        (void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)IDLE_CONNECTIONS);
    return client;
}

void fetch_client_destroy(struct fetch_client *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    (void)curl_multi_cleanup(client->multi);
    mem_free(client->ca_file);
    mem_free(client);
}

void fetch_client_interrupt(struct fetch_client *client)
{
    atomic_store(&client->interrupted, true);
    if (client->multi)
        (void)curl_multi_wakeup(client->multi);
}

/* A request that runs. */
struct exchange {
    const struct fetch_request *request;
    struct fetch_answer *answer;
    int64_t final_us; /* when the final status line came (clock_monotonic_us()); 0: not yet */
    size_t dropped;   /* bytes of the body */
};

/* Child processes must not inherit connections. */
static curl_socket_t open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)self;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* A result other than the number of bytes makes libcurl stop. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's choice */
static size_t take_body(char *bytes, size_t size, size_t count, void *body)
{
    size_t len = size * count;

    buf_add(body, (struct str){ bytes, len });
    return ((const struct buf *)body)->overflow ? 0 : len;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's choice */
static size_t drop_body(char *bytes, size_t size, size_t count, void *self)
{
    struct exchange *exchange = self;
    struct buf *body = &exchange->answer->body;
    size_t room = body->max - body->len;
    size_t len = size * count;

    buf_add(body, (struct str){ bytes, len < room ? len : room });
    exchange->dropped += len;
    return exchange->dropped > REST_MAX ? 0 : len;
}

/* Is it the final status line, not one of an interim answer (100, 103)? */
static bool is_final(struct str line)
{
    const char *space = memchr(line.ptr, ' ', line.len);

    return space && line.ptr + line.len - space > 1 && space[1] >= '2';
}

/* A status line begins a new answer: the one before was an interim one (100, 103). */
/* NOLINTNEXTLINE(readability-non-const-parameter): the type is libcurl's choice */
static size_t take_header(char *bytes, size_t size, size_t count, void *self)
{
    struct exchange *exchange = self;
    struct buf *head = &exchange->answer->head;
    struct str line = { bytes, size * count };

    if (str_starts_with(line, STR("HTTP/"))) {
        buf_clear(head);
        exchange->final_us = is_final(line) ? clock_monotonic_us() : 0;
    }
    if (head->max > 0)
        buf_add(head, line);
    return head->overflow && !exchange->request->status_only ? 0 : line.len;
}

/* For libcurl 0 means no limit, and a negative value is an error that leaves no limit. */
static long timeout_ms(int64_t timeout_us)
{
    return timeout_us < US_PER_MS ? 1 : (long)(timeout_us / US_PER_MS);
}

/* The copies of headers may hold credentials. */
static void end_list(struct curl_slist **list)
{
    for (struct curl_slist *item = *list; item; item = item->next)
        secret_wipe(item->data, strlen(item->data));
    curl_slist_free_all(*list);
}

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (longer)
        *list = longer;
    return longer != NULL;
}

/* libcurl needs a header with an empty value to be written "Name;". */
static bool add_header(struct curl_slist **list, const struct fetch_header *header)
{
    struct str value = header->value;
    size_t size = strlen(header->name) + value.len + sizeof(": ");
    char *line = mem_alloc(size);

    (void)snprintf(line, size, value.len ? "%s: %.*s" : "%s;", header->name, STR_ARG(value));

    bool ok = add_line(list, line);

    secret_wipe(line, size);
    mem_free(line);
    return ok;
}

static bool is_one_line(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] == '\r' || value.ptr[i] == '\n' || value.ptr[i] == '\0')
            return false;
    return true;
}

/* Removes the Expect and Content-Type that libcurl adds by itself to a request with a body. */
static bool list_headers(const struct fetch_request *request, struct curl_slist **list,
                         struct error *err)
{
    bool has_type = false;
    bool ok = add_line(list, "Expect:");

    for (size_t i = 0; ok && i < request->header_count; i++) {
        const struct fetch_header *header = &request->headers[i];

        if (!is_one_line(header->value))
            return fail(err, ERR_UNREACHABLE, "the header %s has more than one line", header->name);
        has_type = has_type || str_equal_ignore_case(str_from_c(header->name), STR("content-type"));
        ok = add_header(list, header);
    }
    if (ok && !has_type)
        ok = add_line(list, "Content-Type:");
    if (ok && request->without_accept)
        ok = add_line(list, "Accept:");
    return ok || fail(err, ERR_SYSTEM, "libcurl has no memory");
}

static void set_method(CURL *easy, const struct fetch_request *request)
{
    bool head = request->method && strcmp(request->method, "HEAD") == 0;

    if (request->body.ptr) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.ptr);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    }
    if (head)
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (request->method)
        (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* libcurl loaded no certificates: see set_trust(). */
static CURLcode load_trust(CURL *easy, void *context, void *self)
{
    const struct fetch_request *request = self;
    const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);
    struct trust_source source = { built->cainfo, built->capath };

    (void)easy;
    if (request->ca_file && *request->ca_file)
        source = (struct trust_source){ request->ca_file, NULL };
    return source.file && trust_apply(context, source) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

/*
 * All clients share the certificates that they trust; libcurl would load them for each. Only a
 * libcurl with GnuTLS loads them itself.
 */
static void share_trust(CURL *easy, const struct fetch_request *request)
{
    if (curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, load_trust) == CURLE_OK) {
        (void)curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, request);
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
        (void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    } else if (request->ca_file && *request->ca_file) {
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, request->ca_file);
    }
}

/*
 * libcurl does not know which certificates verified a connection, so only connections of the
 * client's first file are kept and used again.
 */
static void set_trust(struct fetch_client *client, const struct fetch_request *request)
{
    const char *ca_file = request->ca_file ? request->ca_file : "";
    CURL *easy = client->easy;

    (void)curl_easy_setopt(easy, CURLOPT_HAPROXYPROTOCOL, request->proxy_header ? 1L : 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, request->any_certificate ? 0L : 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, request->any_certificate ? 0L : 2L);
    if (request->any_certificate)
        return;
    share_trust(easy, request);
    if (!client->ca_file)
        client->ca_file = mem_copy_string(ca_file);
    if (strcmp(client->ca_file, ca_file) != 0) {
        (void)curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        (void)curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }
}

static void set_route(CURL *easy, const struct fetch_request *request)
{
    int64_t connect_us = request->connect_timeout_us;

    if (request->proxy == FETCH_PROXY_NEVER)
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (request->cert_file && *request->cert_file) {
        (void)curl_easy_setopt(easy, CURLOPT_SSLCERT, request->cert_file);
        (void)curl_easy_setopt(easy, CURLOPT_SSLKEY, request->key_file);
    }
    if (request->unix_socket)
        (void)curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms(request->timeout_us));
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                           timeout_ms(connect_us ? connect_us : request->timeout_us));
    /* Otherwise a name server that does not answer blocks the thread long after the timeout. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

static void set_up(CURL *easy, struct exchange *exchange)
{
    const struct fetch_request *request = exchange->request;

    curl_easy_reset(easy); /* keeps connections */
    (void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https"); /* not file: */
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* it may be signed */
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    (void)curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "sluice/" SLUICE_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_AGE_S);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    if (request->status_only) {
        (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop_body);
        (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    } else {
        (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
        (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange->answer->body);
    }
    set_method(easy, request);
    set_route(easy, request);
}

/* How long to wait for the rest of the answer; 0: no longer. */
static int poll_timeout_ms(const struct exchange *exchange)
{
    int64_t left_us;

    if (!exchange->request->status_only || exchange->final_us == 0)
        return POLL_MS;
    left_us = exchange->final_us + REST_US - clock_monotonic_us();
    return left_us > 0 ? (int)(left_us / US_PER_MS) + 1 : 0;
}

static CURLcode drive(struct fetch_client *client, const struct exchange *exchange)
{
    int running = 1;
    int left;

    while (running > 0) {
        if (atomic_load(&client->interrupted))
            return CURLE_ABORTED_BY_CALLBACK;
        if (curl_multi_perform(client->multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;

        int wait_ms = poll_timeout_ms(exchange);

        if (running > 0 && wait_ms == 0)
            return CURLE_OPERATION_TIMEDOUT;
        if (running > 0)
            (void)curl_multi_poll(client->multi, NULL, 0, wait_ms, NULL);
    }

    const CURLMsg *message = curl_multi_info_read(client->multi, &left);

    return message ? message->data.result : CURLE_FAILED_INIT;
}

static const struct {
    CURLcode result;
    enum fetch_failure failure;
    const char *text;
} failures[] = {
    { CURLE_COULDNT_RESOLVE_HOST, FETCH_RESOLVE, "the host name cannot be resolved" },
    { CURLE_COULDNT_RESOLVE_PROXY, FETCH_RESOLVE, "the proxy's name cannot be resolved" },
    { CURLE_COULDNT_CONNECT, FETCH_CONNECT, "cannot connect" },
    { CURLE_PROXY, FETCH_CONNECT, "the proxy refuses" },
    { CURLE_OPERATION_TIMEDOUT, FETCH_TIMEOUT, "no whole answer in time" },
    { CURLE_PEER_FAILED_VERIFICATION, FETCH_CERTIFICATE,
      "the server's certificate is not trusted" },
    { CURLE_SSL_CACERT_BADFILE, FETCH_CERTIFICATE, "the CA file cannot be used" },
    { CURLE_SSL_CERTPROBLEM, FETCH_CERTIFICATE, "the client certificate cannot be used" },
    { CURLE_SSL_CLIENTCERT, FETCH_CERTIFICATE, "the server wants a client certificate" },
    { CURLE_SSL_CONNECT_ERROR, FETCH_TLS, "the TLS handshake failed" },
    { CURLE_GOT_NOTHING, FETCH_RESET, "the connection ended without an answer" },
    { CURLE_RECV_ERROR, FETCH_RESET, "the connection broke" },
    { CURLE_SEND_ERROR, FETCH_RESET, "the connection broke" },
    { CURLE_PARTIAL_FILE, FETCH_RESET, "the answer was cut short" },
    { CURLE_WRITE_ERROR, FETCH_TOO_LARGE, "the answer is too large" },
    { CURLE_ABORTED_BY_CALLBACK, FETCH_INTERRUPTED, "interrupted" },
    { CURLE_URL_MALFORMAT, FETCH_OTHER, "the URL is none" },
    { CURLE_UNSUPPORTED_PROTOCOL, FETCH_OTHER, "this is not HTTP" },
    { CURLE_WEIRD_SERVER_REPLY, FETCH_OTHER, "this is not HTTP" },
};

static bool explain(CURL *easy, CURLcode result, struct fetch_answer *answer, struct error *err)
{
    const char *text = curl_easy_strerror(result);
    long reason = 0; /* errno of the failed connection */

    answer->failure = FETCH_OTHER;
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        if (failures[i].result == result) {
            answer->failure = failures[i].failure;
            text = failures[i].text;
        }
    }
    (void)curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &reason);
    if (answer->failure == FETCH_CONNECT && reason != 0)
        return fail_errno(err, ERR_UNREACHABLE, (int)reason, "%s", text);
    return fail(err, ERR_UNREACHABLE, "%s", text);
}

bool fetch_client_run(struct fetch_client *client, const struct fetch_request *request,
                      struct fetch_answer *answer, struct error *err)
{
    CLEANUP(end_list) struct curl_slist *headers = NULL;
    struct exchange exchange = { .request = request, .answer = answer };
    long status = 0;

    answer->failure = FETCH_OTHER;
    buf_clear(&answer->body);
    buf_clear(&answer->head);
    if (!client->multi || !client->easy)
        return fail(err, ERR_SYSTEM, "libcurl does not start");
    if (!list_headers(request, &headers, err))
        return false;
    set_up(client->easy, &exchange);
    set_trust(client, request);
    (void)curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER, headers);
    if (curl_multi_add_handle(client->multi, client->easy) != CURLM_OK)
        return fail(err, ERR_SYSTEM, "libcurl does not start");

    CURLcode result = drive(client, &exchange);

    (void)curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    (void)curl_multi_remove_handle(client->multi, client->easy);
    (void)curl_easy_setopt(client->easy, CURLOPT_HTTPHEADER,
                           NULL); /* the list is freed on return */
    if (result != CURLE_OK && !(request->status_only && status >= FIRST_FINAL_STATUS))
        return explain(client->easy, result, answer, err);
    answer->failure = FETCH_NO_FAILURE;
    answer->status = (int)status;
    return true;
}
