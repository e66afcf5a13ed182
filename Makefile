# Makefile - all tasks of the project; `make help` lists them.
#
# One non-recursive file. Every mode builds into build/<mode>/, so modes never mix. A target that
# runs several steps calls make again, so that the output of each step stays together.

MODE         ?= release
PREFIX       ?= /usr/local
SYSCONFDIR   ?= /etc
FUZZ_SECONDS ?= 30
JOBS         ?= $(shell nproc)
PYTHON       := /usr/bin/python3
OUT          := build/$(MODE)
PROGRAM      := $(OUT)/sluice
VERSION       = $(shell conf/deploy/version.sh)

# Sources, found by their folders.
FOLDERS   := base base/tracing aws schema schema/format schema/registry settings delivery delivery/outbox delivery/sinks \
             handlers handlers/auth server server/http server/config server/cli
SOURCES   := $(foreach folder,$(FOLDERS),$(sort $(wildcard $(folder)/*.c)))
HEADERS   := $(foreach folder,$(FOLDERS) tests/unit,$(sort $(wildcard $(folder)/*.h)))
OBJECTS   := $(SOURCES:%.c=$(OUT)/%.o)
LIBRARY   := $(OUT)/libsluice.a
UNIT_HELP := $(patsubst %.c,$(OUT)/%.o,$(wildcard tests/unit/*.c))
UNIT      := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/unit/*/test_*.c tests/unit/*/*/test_*.c)))
CONFORM   := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/conformance/*.c)))
FUZZERS   := $(patsubst %.c,$(OUT)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
TIDY      := $(patsubst %.c,build/tidy/%.stamp,$(SOURCES) $(wildcard tests/*/*.c tests/unit/*/*.c tests/unit/*/*/*.c))
C_FILES    = $(wildcard $(shell git ls-files -co --exclude-standard -- '*.c' '*.h'))
SCRIPTS    = $(shell git ls-files -co --exclude-standard -- '*.sh' .ci/run tests/lint/pre-commit)

# Files that a source embeds with .incbin, which -MMD cannot see.
EMBEDDED  := $(wildcard conf/*.schema.json schema/metaschemas/*.json conf/init/*.yaml server/console/*) conf/sluice.yaml
EMBEDDERS := $(if $(SOURCES),$(shell grep -lE 'incbin|EMBED' $(SOURCES)))

# Libraries. pkg-config runs only when something is built, because `make run` may install them first.
PACKAGES  := libmicrohttpd gnutls json-c libcurl openssl yaml-0.1 libpcre2-8 libidn2 sqlite3 zlib libzstd rdkafka
PKG_FLAGS  = $(eval PKG_FLAGS := $$(shell pkg-config --cflags $(PACKAGES)))$(PKG_FLAGS)
PKG_LIBS   = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PACKAGES)) -lunistring -lm -pthread)$(PKG_LIBS)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wvla -Wundef \
            -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings
HARDEN   := -D_FORTIFY_SOURCE=2
SANITIZE := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all
FLAGS_release  := -O2 -g $(HARDEN)
FLAGS_strict   := -O2 -g $(HARDEN) -Werror
FLAGS_debug    := -Og -g3
FLAGS_asan     := $(SANITIZE) -fsanitize=address,undefined
FLAGS_tsan     := $(SANITIZE) -fsanitize=thread
FLAGS_coverage := -O0 -g --coverage -fprofile-update=atomic
FLAGS_fuzz     := $(SANITIZE) -fsanitize=fuzzer-no-link,address,undefined
ifndef FLAGS_$(MODE)
$(error MODE=$(MODE): not one of release debug strict asan tsan coverage fuzz)
endif
ifeq ($(origin CC),default)
CC := $(if $(filter fuzz,$(MODE)),clang,cc)
endif

# The server is optimized across files at its link, which takes half a minute; `make LDFLAGS=-fno-lto` links the same
# objects in a second, as tests are linked. clang's objects cannot be linked both ways.
LTO := -fno-lto
ifeq ($(MODE)$(findstring clang,$(CC)),release)
$(OBJECTS) $(PROGRAM): LTO := -flto=auto -ffat-lto-objects
endif

BASICS  = -std=c17 -D_GNU_SOURCE -I. $(WARNINGS) $(PKG_FLAGS)
COMPILE = $(CC) $(BASICS) -fstack-protector-strong -fPIE -MMD -MP $(FLAGS_$(MODE)) $(LTO) $(CPPFLAGS) $(CFLAGS)
LINK    = $(CC) $(FLAGS_$(MODE)) $(LTO) -pie -Wl,-z,relro,-z,now $(CFLAGS) $(LDFLAGS)
say     = $(if $(V),,@printf '  %-4s %s\n' '$(1)' '$(@:build/%=%)';)
again   = +@$(MAKE) --no-print-directory
# Most tests wait more than they compute.
E2E_JOBS = $(shell expr 2 \* $(JOBS))
e2e     = SLUICE_BIN=$(PROGRAM) $(PYTHON) -B -m pytest -q -p no:cacheprovider -n $(E2E_JOBS)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
# Each target with a description (see `help`), and parts of lint.
.PHONY: $(shell sed -n 's/^\([a-z0-9-]*\):.*\#\# .*/\1/p' Makefile) programs tidy
.PHONY: lint-format lint-headers lint-layers lint-map lint-names lint-prose lint-scripts

##@ Build
all: $(if $(filter release,$(MODE)),build/sluice,$(PROGRAM)) ## the server (default)
run: ## install what is missing, build, start it with conf/sluice.yaml
	@tests/setup.sh build
	$(again) -j$(JOBS) all
	@tests/try.sh $(PROGRAM)
install: all ## install program, man pages, completions, units, configuration; PREFIX=/usr/local SYSCONFDIR=/etc DESTDIR=
	@PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' DESTDIR='$(DESTDIR)' UNITDIR='$(UNITDIR)' ZSHDIR='$(ZSHDIR)' \
	    conf/deploy/install.sh $(PROGRAM)
deb: ## build a Debian package in build/deb, from a copy of this tree; lintian checks it
	@tests/setup.sh build deb
	conf/deploy/deb.sh build/deb
dist: ## write the sources of the last commit to build/sluice-VERSION.tar.gz
	mkdir -p build
	git archive --prefix=sluice-$(VERSION)/ -o build/sluice-$(VERSION).tar.gz HEAD
dev-cert: ## make a certificate for TLS trials: build/dev-cert/cert.pem, key.pem, and ca.pem for clients
	@tests/setup.sh cert
	tests/dev_cert.sh build/dev-cert
image: ## build a container image, with docker, podman or buildah
	tests/image/build.sh
clean: ## remove everything built
	rm -rf build

##@ Test
test: ## install what is missing, then run the quick tests: unit, conformance, e2e
	@tests/setup.sh build test
	$(again) -j$(JOBS) programs
	$(again) -k unit conformance e2e
unit: programs ## unit tests, one program per module
	@tests/unit/run.sh $(UNIT)
conformance: programs $(OUT)/bowtie $(OUT)/sign $(OUT)/transform ## the JSON Schema test suite; verdicts and signatures compared with Python's
	@tests/conformance/run.sh $(OUT)/bowtie $(CONFORM)
	@$(PYTHON) -B tests/aws/differential.py $(OUT)/sign
	@$(PYTHON) -B tests/transforms/differential.py $(OUT)/transform 500 1
e2e: $(PROGRAM) $(OUT)/slow_sync.so ## end-to-end tests: the real server, over a real socket
	$(e2e) tests/e2e
test-oauth: all ## bearer tokens of a real OAuth server, npm's oidc-provider
	@tests/setup.sh build test oauth
	$(e2e) tests/oauth
console-test: PYTHON = build/console-test/venv/bin/python
console-test: $(PROGRAM) ## the console in Debian's Chromium: a walk, every page with axe-core, a hostile event
	@tests/setup.sh build test console
	$(PYTHON) -B tests/console/walk.py $(PROGRAM)
screenshots: PYTHON = build/console-test/venv/bin/python
screenshots: $(PROGRAM) ## write the pictures of the console, docs/images/console-*.png
	@tests/setup.sh build test console screenshots
	mkdir -p docs/images && $(PYTHON) -B tests/console/pictures.py $(PROGRAM) docs/images
stormtest: all ## reloads and restarts under load, the long form; SLUICE_ROUNDS=200
	@tests/setup.sh build test
	SLUICE_ROUNDS=$${SLUICE_ROUNDS:-200} $(e2e) -k 'storm or successor' tests/e2e/test_reload.py tests/e2e/test_restart.py
contracttest: all ## the contract of sinks with every kind, the long form
	@tests/setup.sh build test
	SLUICE_CONTRACT=long $(e2e) tests/e2e/test_sink_contract.py tests/e2e/test_contract_kafka.py
test-peers: PYTHON = build/peers/bin/python
test-peers: $(PROGRAM) ## Glue, S3, Kinesis, SQS, DynamoDB and Kafka against peers by others (PyPI, npm, Go, Maven)
	@tests/setup.sh build test peers
	GLUE_PEER=moto $(e2e) -rs tests/e2e
	$(e2e) -rs tests/peers
	$(e2e) -n 1 tests/kafka
patterntest: $(OUT)/pattern ## event patterns compared with AWS's matcher, a Java library; PATTERN_PAIRS=20000
	@tests/setup.sh build patterns
	$(PYTHON) -B tests/patterns/differential.py $(OUT)/pattern $${PATTERN_PAIRS:-20000}
transformtest: $(OUT)/transform ## random transforms: compared with a model in Python; costly ones keep to their budget
	$(PYTHON) -B tests/transforms/differential.py $(OUT)/transform $${TRANSFORMS:-50000}
	$(PYTHON) -B tests/transforms/hostile.py $(OUT)/transform $${TRANSFORMS_HOSTILE:-300}
crashtest: all $(OUT)/shim.so $(OUT)/seed.so ## kill -9, power loss and full disks; CRASH_KILLS=200 for the long form
	@tests/setup.sh build test
	SLUICE_BIN=$(PROGRAM) $(PYTHON) -B -m pytest -q -p no:cacheprovider -n $(JOBS) tests/crash
scaletest: all $(OUT)/awake.so ## 10 million remembered events and 1 million waiting records
	@tests/setup.sh bench
	$(PYTHON) -B tests/bench/scale.py
sanitize: ## all tests under ASan+UBSan, then under TSan
	@tests/setup.sh build test
	$(again) -j$(JOBS) MODE=asan programs
	$(again) -k MODE=asan unit conformance e2e
	$(again) -j$(JOBS) MODE=tsan programs
	$(again) -k MODE=tsan unit e2e
fuzz: ## run every fuzzer for FUZZ_SECONDS
	@tests/setup.sh build fuzz
	$(again) MODE=fuzz fuzzers
	@tests/fuzz/run.sh $(FUZZ_SECONDS) $(FUZZERS:$(OUT)/%=build/fuzz/%)
coverage: ## line coverage of unit, conformance and e2e; HTML in build/coverage/html
	@tests/setup.sh build test coverage
	$(again) -j$(JOBS) MODE=coverage programs
	find build/coverage -name '*.gcda' -delete
	$(again) MODE=coverage unit conformance e2e
	@tests/coverage.sh
bench: all $(OUT)/micro $(OUT)/tls_load $(OUT)/turns $(OUT)/bare_mhd $(OUT)/awake.so ## speed of the JSON reader and schema engine; then beside bare libmicrohttpd, nginx, and Fastify with ajv
	@tests/setup.sh bench
	@failed=0; $(OUT)/micro || failed=1; tests/bench/instructions.sh $(OUT)/micro || failed=1; \
	    for part in cases bench durable tls refresh console; do $(PYTHON) -B tests/bench/$$part.py || failed=1; done; exit $$failed
bench-sinks: all ## records/s, CPU and memory of each kind of sink with a million records waiting; senders beside a sink in trouble
	@tests/setup.sh bench
	@failed=0; for part in sinks kafka trouble; do $(PYTHON) -B tests/bench/$$part.py || failed=1; done; exit $$failed
bench-peers: all $(OUT)/awake.so ## beside axum, Go, uvicorn, Fastify and Benthos; installs them below build/bench
	@tests/setup.sh bench
	$(PYTHON) -B tests/bench/peers.py
bench-before: all $(OUT)/tls_load $(OUT)/awake.so ## compare this build with an older one; BEFORE=PROGRAM
	@tests/setup.sh bench
	$(PYTHON) -B tests/bench/before.py $(BEFORE)
bowtie: build/bowtie ## the Bowtie harness, build/bowtie
tls-test: all dev-cert ## testssl.sh and real clients (Java, Go, rustls, Node, curl, ...) against the server
	@tests/setup.sh tls
	tests/tls/tls_test.sh $(PROGRAM) build/dev-cert/cert.pem build/dev-cert/key.pem build/dev-cert/ca.pem
	$(PYTHON) -B tests/tls/clients.py $(PROGRAM) build/tls-test/clients
attack-test: all dev-cert ## slowhttptest, bad connections and costly requests, while a good client is served
	@tests/setup.sh attack
	$(PYTHON) -B tests/attack/attack.py $(PROGRAM)
	$(PYTHON) -B tests/attack/volleys.py $(PROGRAM)
test-trixie: ## make test on Debian 13, in a chroot; SLUICE_TRIXIE=FOLDER keeps the chroot elsewhere
test-noble: ## make test on Ubuntu 24.04, in a chroot
test-resolute: ## make test on Ubuntu 26.04, in a chroot
test-trixie-short: ## the part of test-trixie that depends on the HTTP library, in a few minutes
test-noble-short: ## that part on Ubuntu 24.04
test-resolute-short: ## that part on Ubuntu 26.04
test-trixie test-noble test-resolute:
	tests/release.sh $(@:test-%=%)
test-trixie-short test-noble-short test-resolute-short:
	tests/release.sh $(@:test-%-short=%) short
test-arm64: ## cross-compile for arm64; unit tests, conformance and the sample event under qemu
	tests/arm64.sh
deb-test: deb ## install, upgrade and purge the package in a chroot; systemd-analyze checks its units
	@tests/setup.sh trixie
	tests/deb.sh build/deb
test-deploy: $(PROGRAM) ## check the files for clouds with the tools of their kinds; events through the proxies' files
	@tests/setup.sh build test deploy
	$(e2e) -rs tests/deploy
image-test: ## build and run the image without a container engine
	tests/image/test_image.sh

##@ Look after the code
format: ## rewrite the sources with clang-format
	clang-format -i $(C_FILES)
lint: ## check formatting, layers, headers, clang-tidy, shell scripts, map, prose
	@tests/setup.sh build lint
	$(again) -k -j$(JOBS) lint-format lint-layers lint-names lint-map lint-prose lint-headers lint-scripts tidy
lint-format:
	@clang-format --dry-run -Werror $(C_FILES)
lint-layers:
	tests/lint/layers.sh
lint-names:
	@tests/lint/names.sh
lint-map:
	@tests/lint/map.sh check
lint-prose:
	@tests/lint/prose.sh
lint-headers:
	@CC='$(CC)' FLAGS='$(BASICS)' tests/lint/headers.sh $(HEADERS)
lint-scripts:
	@shellcheck $(SCRIPTS)
ci: lint ## all that must pass before a change is merged
	$(again) test
	$(again) sanitize
map: ## write docs/map.md from the first comment of each C file
	tests/lint/map.sh
describe: ## write the annotated conf/sluice.yaml from conf/sluice.schema.json
	mkdir -p build && $(PYTHON) -B tests/lint/describe.py >build/sluice.yaml && mv build/sluice.yaml conf/sluice.yaml
hooks: ## install a hook that checks formatting and layers before each commit
	ln -sf ../../tests/lint/pre-commit .git/hooks/pre-commit
help: ## show this list
	@awk -F ':.*## ' '/^##@/ { printf "%s%s\n", sep, substr($$0, 5); sep = "\n" } \
	    /^[a-z0-9-]+:.*## / { printf "  %-19s %s\n", $$1, $$2 }' Makefile
	@echo; echo "Modes: MODE=release debug strict asan tsan coverage fuzz (now: $(MODE)). V=1 shows commands."

# How things are made.
programs: $(PROGRAM) $(UNIT) $(CONFORM) $(OUT)/slow_sync.so
.PHONY: fuzzers
fuzzers: $(FUZZERS)
tidy: $(TIDY)

build/sluice: build/release/sluice
	$(call say,LN)ln -sf release/sluice $@
$(PROGRAM): $(OUT)/server/main.o $(LIBRARY)
	$(call say,LD)$(LINK) -o $@ $^ $(PKG_LIBS)
$(LIBRARY): $(filter-out $(OUT)/server/main.o,$(OBJECTS))
	$(call say,AR)rm -f $@ && $(AR) rcs $@ $^
$(UNIT): $(OUT)/%: $(OUT)/%.o $(UNIT_HELP) $(LIBRARY)
	$(call say,LD)$(LINK) -o $@ $^ $(PKG_LIBS)
ifeq ($(MODE),tsan)
$(PROGRAM) $(UNIT): $(OUT)/tests/tsan/c11_threads.o
endif
$(CONFORM): $(OUT)/%: $(OUT)/%.o $(LIBRARY)
	$(call say,LD)$(LINK) -o $@ $^ $(PKG_LIBS)
$(FUZZERS): $(OUT)/%: $(OUT)/%.o $(UNIT_HELP) $(LIBRARY)
	$(call say,LD)$(LINK) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)
$(OUT)/bowtie: $(OUT)/tests/bowtie/bowtie.o $(LIBRARY)
	$(call say,LD)$(LINK) -o $@ $^ $(PKG_LIBS)
$(OUT)/pattern: $(OUT)/tests/patterns/pattern.o $(LIBRARY)
	$(call say,LD)$(LINK) -o $@ $^ $(PKG_LIBS)
$(OUT)/transform: $(OUT)/tests/transforms/transform.o $(LIBRARY)
	$(call say,LD)$(LINK) -o $@ $^ $(PKG_LIBS)
$(OUT)/sign: $(OUT)/tests/aws/sign.o $(LIBRARY)
	$(call say,LD)$(LINK) -o $@ $^ $(PKG_LIBS)
build/bowtie: build/release/bowtie
	$(call say,LN)ln -sf release/bowtie $@
$(OUT)/micro: $(OUT)/tests/bench/micro.o $(LIBRARY)
	$(call say,LD)$(LINK) -o $@ $^ $(PKG_LIBS)
$(OUT)/%.so: Makefile
	$(call say,LD)mkdir -p $(@D) && $(COMPILE) -fPIC -shared -o $@ $(filter %.c,$^) $(SO_LIBS)
$(OUT)/shim.so: tests/crash/shim.c tests/crash/shim_disk.c
$(OUT)/awake.so: tests/bench/awake.c
$(OUT)/seed.so: tests/crash/seed.c
$(OUT)/slow_sync.so: tests/crash/slow_sync.c
$(OUT)/seed.so: SO_LIBS := -lsqlite3
$(OUT)/tls_load: tests/bench/tls_load.c Makefile
	$(call say,LD)mkdir -p $(@D) && $(COMPILE) -o $@ $< -lssl -lcrypto
$(OUT)/turns: tests/bench/turns.c Makefile
	$(call say,LD)mkdir -p $(@D) && $(COMPILE) -o $@ $<
$(OUT)/bare_mhd: tests/bench/bare_mhd.c Makefile
	$(call say,LD)mkdir -p $(@D) && $(COMPILE) -o $@ $< -lmicrohttpd -pthread
$(EMBEDDERS:%.c=$(OUT)/%.o): $(EMBEDDED)
$(OUT)/%.o: %.c Makefile
	$(call say,CC)mkdir -p $(@D) && $(COMPILE) -c -o $@ $<
build/tidy/%.stamp: %.c .clang-tidy
	$(call say,TIDY)mkdir -p $(@D) && cc $(BASICS) -MM -MP -MT $@ -MF $(@:.stamp=.d) $< && \
	    clang-tidy --quiet $< -- $(BASICS) 2>$(@:.stamp=.log) || { cat $(@:.stamp=.log) >&2; exit 1; }
	@touch $@

-include $(wildcard $(foreach depth,*/* */*/* */*/*/* */*/*/*/*,$(OUT)/$(depth).d build/tidy/$(depth).d))
