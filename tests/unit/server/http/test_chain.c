/*
 * test_chain.c - claims about server/http/chain.h.
 */
#include "server/http/chain.h"

#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "base/file.h"
#include "base/memory.h"
#include "tests/unit/test.h"
#include "tests/unit/tls_files.h"

static struct folder folder;

/* Write the file `to` with the certificates of these names, one after the other. */
static void join(const char *to, const char *const *names, size_t count,
                 char path[FOLDER_PATH_SIZE])
{
    struct buf all;
    struct error err;

    buf_init(&all, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        struct str text;

        CHECK(file_read(tls_files_paths(&folder, names[i]).cert, 100000, &text, &err));
        buf_add(&all, text);
        mem_free((void *)text.ptr);
    }
    folder_write(&folder, to, buf_str(&all));
    folder_path(&folder, to, path);
    buf_done(&all);
}

static void knows_when_all_are_valid(void)
{
    static const char *const names[] = { "long", "short" };
    struct http_chain chain = { 0 };
    char path[FOLDER_PATH_SIZE];
    struct error err;

    join("both.pem", names, COUNT_OF(names), path);
    CHECK(http_chain_read(path, &chain, &err));
    CHECK_INT(chain.count, 2);
    CHECK(http_chain_starts_s(&chain) < (int64_t)time(NULL));
    CHECK(http_chain_expires_s(&chain) < (int64_t)time(NULL) + TLS_FILES_DAY + 60);
    http_chain_done(&chain);
    CHECK_INT(chain.count, 0);
}

static void finds_where_the_chain_breaks(void)
{
    static const struct {
        const char *name;
        const char *list[3];
        size_t count;
        unsigned at;
    } cases[] = {
        { "one", { "long" }, 1, 0 },
        { "one that has issued itself, twice", { "long", "long" }, 2, 0 },
        { "another issuer", { "long", "short" }, 2, 1 },
        { "another issuer's issuer", { "long", "long", "short" }, 3, 2 },
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_chain chain = { 0 };
        char path[FOLDER_PATH_SIZE];
        struct error err;

        TEST_CASE(cases[i].name);
        join("chain.pem", cases[i].list, cases[i].count, path);
        CHECK(http_chain_read(path, &chain, &err));
        CHECK_INT(http_chain_break(&chain), cases[i].at);
        http_chain_done(&chain);
    }
}

static void trusts_only_the_cas_of_the_machine(void)
{
    struct http_chain chain = { 0 };
    struct error err = { 0 };

    CHECK(http_chain_read(tls_files_paths(&folder, "long").cert, &chain, &err));
    CHECK(!http_chain_is_trusted(&chain, &err));
    CHECK_INT(err.code, ERR_INVALID);
    CHECK(strstr(err.text, "issuer is unknown"));
    http_chain_done(&chain);
}

static void has_names(void)
{
    struct http_chain chain = { 0 };
    struct error err;
    struct buf names;

    CHECK(http_chain_read(tls_files_paths(&folder, "long").cert, &chain, &err));
    buf_init(&names, SIZE_MAX);
    http_chain_names(&chain, &names);
    CHECK_INT((int64_t)names.len, 0); /* it has a common name only */
    CHECK(http_chain_is_for(&chain, "localhost"));
    CHECK(!http_chain_is_for(&chain, "example.com"));
    buf_done(&names);
    http_chain_done(&chain);
}

static void refuses_files_that_hold_no_chain(void)
{
    static const char *const many[] = { "long", "long", "long", "long", "long", "long",
                                        "long", "long", "long", "long", "long", "long",
                                        "long", "long", "long", "long", "long" };
    struct http_chain chain = { 0 };
    char path[FOLDER_PATH_SIZE];
    struct error err = { 0 };

    folder_path(&folder, "nowhere.pem", path);
    CHECK(!http_chain_read(path, &chain, &err));
    CHECK_INT(err.code, ERR_CONFIG);
    CHECK(!http_chain_read(tls_files_paths(&folder, "long").key, &chain, &err));
    CHECK(strstr(err.text, "holds no certificate in PEM form"));
    join("many.pem", many, COUNT_OF(many), path);
    CHECK(!http_chain_read(path, &chain, &err));
    CHECK(strstr(err.text, "more than 16 certificates"));
    CHECK_INT(chain.count, 0);
}

int main(void)
{
    folder_init(&folder);
    tls_files_write(&folder, "long", 10 * (int64_t)TLS_FILES_DAY);
    tls_files_write(&folder, "short", TLS_FILES_DAY);
    RUN(knows_when_all_are_valid);
    RUN(finds_where_the_chain_breaks);
    RUN(trusts_only_the_cas_of_the_machine);
    RUN(has_names);
    RUN(refuses_files_that_hold_no_chain);
    folder_done(&folder);
    return test_end();
}
