/*
 * test_tls.c - claims about server/http/tls.h: handshakes in memory, with GnuTLS as the client.
 */
#include "server/http/tls.h"

#include <assert.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/memory.h"
#include "tests/unit/capture.h"
#include "tests/unit/test.h"
#include "tests/unit/tls_files.h"

enum { SERVER, CLIENT, SIDES };

#define ANY      "NORMAL"
#define ONLY_1_3 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

/* What the server keeps of its session; first, so that it can be found from there. */
struct link {
    struct http_tls_session session;
    int finished;
    int starved;
};

struct outcome {
    bool done;
    bool resumed;
    int version;  /* gnutls_protocol_t */
    int finished; /* calls of want_read() */
    int retries;  /* HelloRetryRequests that the client got */
    gnutls_datum_t ticket;
    char subject_serial[64];
};

static struct folder folder;

static void count_finished(struct http_tls_session *session)
{
    ((struct link *)(void *)session)->finished++;
}

static void count_starved(struct http_tls_session *session)
{
    struct link *link = (struct link *)(void *)session;

    CHECK_INT(link->finished, 0);
    link->starved++;
}

/* A loop flushes after each run of MHD; here each write is a run. */
static void flush_at_once(struct http_tls_session *session)
{
    CHECK(http_tls_flush(session));
}

static gnutls_certificate_credentials_t no_credentials(void)
{
    gnutls_certificate_credentials_t credentials;

    assert(gnutls_certificate_allocate_credentials(&credentials) == 0);
    return credentials;
}

static gnutls_session_t open_session(int fd, unsigned flags, const char *priorities,
                                     gnutls_certificate_credentials_t credentials)
{
    gnutls_session_t session;

    assert(gnutls_init(&session, flags | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) == 0);
    assert(gnutls_priority_set_direct(session, priorities, NULL) == 0);
    assert(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials) == 0);
    gnutls_transport_set_int(session, fd);
    return session;
}

/* Each in turn, until both are complete or one has failed. */
static bool shake(gnutls_session_t sessions[SIDES])
{
    bool done[SIDES] = { false, false };

    while (!done[SERVER] || !done[CLIENT])
        for (int side = 0; side < SIDES; side++) {
            int status = done[side] ? 0 : gnutls_handshake(sessions[side]);

            done[side] = status == 0;
            if (status < 0 && gnutls_error_is_fatal(status))
                return false;
        }
    return true;
}

/* A request and its answer, behind which a client of TLS 1.3 has its ticket. */
static void exchange(gnutls_session_t sessions[SIDES])
{
    char byte = 'x';

    CHECK(gnutls_record_send(sessions[CLIENT], &byte, 1) == 1);
    CHECK(gnutls_record_recv(sessions[SERVER], &byte, 1) == 1);
    CHECK(gnutls_record_send(sessions[SERVER], &byte, 1) == 1);
    while (gnutls_record_recv(sessions[CLIENT], &byte, 1) == GNUTLS_E_AGAIN)
        continue;
}

/* The serial number tells test certificates apart. */
static void look_at_certificate(gnutls_session_t session, struct outcome *outcome)
{
    unsigned count = 0;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    gnutls_x509_crt_t crt;
    unsigned char serial[8];
    size_t size = sizeof(serial);

    if (count == 0)
        return;
    assert(gnutls_x509_crt_init(&crt) == 0);
    CHECK(gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) == 0);
    CHECK(gnutls_x509_crt_get_serial(crt, serial, &size) == 0);
    (void)snprintf(outcome->subject_serial, sizeof(outcome->subject_serial), "%u", serial[0]);
    gnutls_x509_crt_deinit(crt);
}

/* The client's session has the outcome behind its pointer. */
static int count_retry(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                       const gnutls_datum_t *message)
{
    struct outcome *outcome = gnutls_session_get_ptr(session);

    (void)type;
    (void)when;
    (void)message;
    outcome->retries += incoming ? 1 : 0;
    return 0;
}

/* A client with these priorities and, unless empty, this ticket. */
static struct outcome meet(struct http_tls *tls, const char *priorities, gnutls_datum_t ticket)
{
    struct link link = {
        .session.want_read = count_starved,
        .session.finished = count_finished,
        .session.unsent = flush_at_once,
    };
    gnutls_certificate_credentials_t none = no_credentials();
    struct outcome outcome = { 0 };
    int fds[SIDES];

    assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);

    gnutls_session_t sessions[SIDES] = {
        open_session(fds[SERVER], GNUTLS_SERVER, http_tls_priorities(), none),
        open_session(fds[CLIENT], GNUTLS_CLIENT | GNUTLS_KEY_SHARE_TOP, priorities, none),
    };

    link.session.transport.fd = fds[SERVER];
    http_tls_begin(tls, sessions[SERVER], &link.session, 1000000);
    gnutls_session_set_ptr(sessions[CLIENT], &outcome);
    gnutls_handshake_set_hook_function(sessions[CLIENT], GNUTLS_HANDSHAKE_HELLO_RETRY_REQUEST,
                                       GNUTLS_HOOK_POST, count_retry);
    if (ticket.size)
        CHECK(gnutls_session_set_data(sessions[CLIENT], ticket.data, ticket.size) == 0);
    outcome.done = shake(sessions);
    outcome.finished = link.finished;
    CHECK(!outcome.done || link.starved > 0); /* it waited for the client's part */
    if (outcome.done) {
        exchange(sessions);
        outcome.resumed = gnutls_session_is_resumed(sessions[CLIENT]);
        outcome.version = (int)gnutls_protocol_get_version(sessions[CLIENT]);
        CHECK(gnutls_session_get_data2(sessions[CLIENT], &outcome.ticket) == 0);
        look_at_certificate(sessions[CLIENT], &outcome);
    }
    for (int side = 0; side < SIDES; side++) {
        gnutls_deinit(sessions[side]);
        (void)close(fds[side]);
    }
    http_tls_end(&link.session);
    gnutls_certificate_free_credentials(none);
    return outcome;
}

static struct outcome meet_once(struct http_tls *tls, const char *priorities)
{
    struct outcome outcome = meet(tls, priorities, (gnutls_datum_t){ NULL, 0 });

    gnutls_free(outcome.ticket.data);
    return outcome;
}

static struct http_tls *create(const char *name)
{
    struct tls_files files = tls_files_paths(&folder, name);
    struct http_tls *tls = NULL;
    struct error err = { 0 };

    CHECK(http_tls_create(files.cert, files.key, &tls, &err));
    CHECK_STR(str_from_c(err.text), "");
    return tls;
}

/* A policy of the system can forbid a version to all programs, as Ubuntu's forbids TLS 1.1. */
static bool is_forbidden_by_system(const char *priorities)
{
    gnutls_priority_t parsed = NULL;
    bool is_forbidden =
        gnutls_priority_init(&parsed, priorities, NULL) == GNUTLS_E_NO_PRIORITIES_WERE_SET;

    gnutls_priority_deinit(parsed);
    return is_forbidden;
}

static void speaks_modern_tls_only(void)
{
    static const struct {
        const char *name;
        const char *priorities;
        int version; /* 0: no handshake */
    } cases[] = {
        { "whatever the client likes", ANY, GNUTLS_TLS1_3 },
        { "TLS 1.2", ANY ":-VERS-ALL:+VERS-TLS1.2", GNUTLS_TLS1_2 },
        { "TLS 1.2 with ChaCha20", ANY ":-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+CHACHA20-POLY1305",
          GNUTLS_TLS1_2 },
        { "TLS 1.1", ANY ":-VERS-ALL:+VERS-TLS1.1:%ALLOW_SMALL_RECORDS", 0 },
        { "TLS 1.2 without authenticated ciphers",
          ANY ":-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC", 0 },
        { "TLS 1.2 without forward secrecy", ANY ":-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", 0 },
        { "TLS 1.2 with classic Diffie-Hellman", ANY ":-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+DHE-RSA",
          0 },
    };
    struct http_tls *tls = create("good");

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].name);
        if (cases[i].version == 0 && is_forbidden_by_system(cases[i].priorities))
            continue;

        struct outcome outcome = meet_once(tls, cases[i].priorities);

        CHECK_INT(outcome.version, cases[i].version);
        CHECK_INT(outcome.finished, outcome.done ? 1 : 0);
    }
    http_tls_destroy(tls);
}

/* Certificates with these keys, by clients with one signature scheme each. */
static void signs_with_keys_of_all_kinds(void)
{
    static const struct {
        enum tls_files_key kind;
        const char *priorities;
    } cases[] = {
        { TLS_FILES_P256, ANY },
        { TLS_FILES_P256, ANY ":-VERS-ALL:+VERS-TLS1.2" },
        { TLS_FILES_P384, ANY },
        { TLS_FILES_P384, ANY ":-VERS-ALL:+VERS-TLS1.2" },
        { TLS_FILES_P384, ANY ":-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-ECDSA-SHA256" },
        { TLS_FILES_RSA2048, ANY },
        { TLS_FILES_RSA2048, ONLY_1_3 ":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256" },
        { TLS_FILES_RSA2048, ONLY_1_3 ":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA384" },
        { TLS_FILES_RSA2048, ONLY_1_3 ":-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA512" },
        { TLS_FILES_RSA2048, ANY ":-VERS-ALL:+VERS-TLS1.2" },
        { TLS_FILES_RSA2048, ANY ":-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-RSA-SHA256" },
        { TLS_FILES_RSA2048, ANY ":-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-RSA-SHA384" },
        { TLS_FILES_RSA2048, ANY ":-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-RSA-SHA512" },
        { TLS_FILES_RSA2048, ANY ":-VERS-ALL:+VERS-TLS1.2:-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256" },
        { TLS_FILES_ED25519, ANY },
        { TLS_FILES_ED25519, ANY ":-VERS-ALL:+VERS-TLS1.2" },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        TEST_CASE(cases[i].priorities);
        tls_files_write_kind(&folder, "kind", cases[i].kind);

        struct http_tls *tls = create("kind");
        struct outcome outcome = meet_once(tls, cases[i].priorities);

        CHECK(outcome.done);
        CHECK_INT(outcome.finished, 1);
        http_tls_destroy(tls);
    }
}

/* Each of these sends one share, of the group that it names first, and offers the others too. */
static void takes_clients_of_tls_1_3_alone_in_one_round_trip(void)
{
    static const char *const clients[] = {
        ONLY_1_3,
        ONLY_1_3 ":%DISABLE_SAFE_RENEGOTIATION", /* sends no renegotiation_info */
        ONLY_1_3 ":-GROUP-ALL:+GROUP-SECP256R1:+GROUP-X25519:%DISABLE_SAFE_RENEGOTIATION",
        ONLY_1_3 ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1",
        ONLY_1_3 ":-GROUP-ALL:+GROUP-SECP384R1:+GROUP-SECP256R1:+GROUP-X25519",
        ONLY_1_3 ":-GROUP-ALL:+GROUP-SECP256R1",
    };
    struct http_tls *tls = create("good");

    for (size_t i = 0; i < COUNT_OF(clients); i++) {
        struct outcome outcome = meet_once(tls, clients[i]);

        TEST_CASE(clients[i]);
        CHECK_INT(outcome.version, GNUTLS_TLS1_3);
        CHECK_INT(outcome.retries, 0);
    }
    http_tls_destroy(tls);
}

static void resumes_sessions(void)
{
    static const char *const versions[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.2",
                                            "NORMAL:-VERS-ALL:+VERS-TLS1.3" };

    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct http_tls *tls = create("good");
        struct http_tls *stranger = create("good");
        struct outcome first = meet(tls, versions[i], (gnutls_datum_t){ NULL, 0 });
        struct outcome second = meet(tls, versions[i], first.ticket);
        struct outcome elsewhere = meet(stranger, versions[i], first.ticket);

        TEST_CASE(versions[i]);
        CHECK(first.done && !first.resumed);
        CHECK(second.done && second.resumed);
        CHECK_INT(second.finished, 1);
        CHECK(elsewhere.done && !elsewhere.resumed);
        gnutls_free(first.ticket.data);
        gnutls_free(second.ticket.data);
        gnutls_free(elsewhere.ticket.data);
        http_tls_destroy(tls);
        http_tls_destroy(stranger);
    }
}

static void takes_a_new_pair_once_it_is_at_rest(void)
{
    struct capture capture;

    tls_files_write(&folder, "live", TLS_FILES_DAY);

    struct http_tls *tls = create("live");
    struct outcome before = meet_once(tls, ANY);
    int64_t expires_s = http_tls_expires_s(tls);

    http_tls_refresh(tls); /* nothing has changed */
    tls_files_write(&folder, "live", (int64_t)5 * TLS_FILES_DAY);
    capture_begin(&capture, STDOUT_FILENO);
    http_tls_refresh(tls);

    struct outcome meanwhile = meet_once(tls, ANY);

    http_tls_refresh(tls);
    http_tls_refresh(tls);

    struct outcome after = meet_once(tls, ANY);
    struct str said = capture_end(&capture);
    const char *line = strstr(said.ptr, "tls_certificate_reloaded");

    CHECK_STR(str_from_c(meanwhile.subject_serial), before.subject_serial);
    CHECK(!str_equal(str_from_c(after.subject_serial), str_from_c(before.subject_serial)));
    CHECK(http_tls_expires_s(tls) > expires_s + TLS_FILES_DAY);
    CHECK(line && !strstr(line + 1, "tls_certificate_reloaded"));
    mem_free((void *)said.ptr);
    http_tls_destroy(tls);
}

static void keeps_the_old_pair_when_the_new_one_is_bad_and_says_so_once(void)
{
    struct tls_files files = tls_files_paths(&folder, "live");
    struct capture capture;
    struct error err = { 0 };

    tls_files_write(&folder, "live", TLS_FILES_DAY);

    struct http_tls *tls = create("live");
    struct outcome before = meet_once(tls, ANY);

    folder_write(&folder, "live.crt", STR("half a certi"));
    capture_begin(&capture, STDOUT_FILENO);
    for (int i = 0; i < 4; i++)
        http_tls_refresh(tls);

    struct outcome after = meet_once(tls, ANY);
    struct str said = capture_end(&capture);
    const char *line = strstr(said.ptr, "tls_certificate_refused");

    CHECK_STR(str_from_c(after.subject_serial), before.subject_serial);
    CHECK(line && !strstr(line + 1, "tls_certificate_refused"));
    mem_free((void *)said.ptr);
    CHECK(!http_tls_replace(tls, files.cert, files.key, &err));
    CHECK_INT(err.code, ERR_CONFIG);

    tls_files_write(&folder, "live", TLS_FILES_DAY);
    CHECK(http_tls_replace(tls, files.cert, files.key, &err));
    after = meet_once(tls, ANY);
    CHECK(!str_equal(str_from_c(after.subject_serial), str_from_c(before.subject_serial)));
    http_tls_destroy(tls);
}

static void an_expired_certificate_is_logged_once(void)
{
    struct capture capture;

    tls_files_write(&folder, "old", -5);
    capture_begin(&capture, STDOUT_FILENO);

    struct http_tls *tls = create("old");

    for (int i = 0; i < 3; i++)
        http_tls_refresh(tls);

    struct str said = capture_end(&capture);
    const char *line = strstr(said.ptr, "tls_certificate_expired\",\"expires\":");

    CHECK(line && !strstr(line + 1, "tls_certificate_expired"));
    mem_free((void *)said.ptr);
    http_tls_destroy(tls);
}

static void refuses_to_begin_without_a_pair(void)
{
    struct tls_files files = tls_files_paths(&folder, "missing");
    struct http_tls *tls = NULL;
    struct error err = { 0 };

    CHECK(!http_tls_create(files.cert, files.key, &tls, &err));
    CHECK(tls == NULL);
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK_INT(http_tls_expires_s(NULL), 0);
}

int main(void)
{
    folder_init(&folder);
    tls_files_write(&folder, "good", (int64_t)10 * TLS_FILES_DAY);
    RUN(speaks_modern_tls_only);
    RUN(signs_with_keys_of_all_kinds);
    RUN(takes_clients_of_tls_1_3_alone_in_one_round_trip);
    RUN(resumes_sessions);
    RUN(takes_a_new_pair_once_it_is_at_rest);
    RUN(keeps_the_old_pair_when_the_new_one_is_bad_and_says_so_once);
    RUN(an_expired_certificate_is_logged_once);
    RUN(refuses_to_begin_without_a_pair);
    folder_done(&folder);
    return test_end();
}
