# The checks live in .ci/run, so that a green `just ci` is a green CI.

# List the recipes.
[private]
default:
    @{{ just_executable() }} --list --unsorted

# Format the code.
fmt:
    cargo fmt --all

# Compile everything, without code generation.
check:
    cargo check --workspace --all-targets --all-features

# Run the tests: `just test`, `just test -p dynasink-core`.
test *args="--workspace":
    cargo test {{ args }}

# Run the tests optimised, as users run the code.
test-release:
    cargo test --workspace --release

# Run the end-to-end tests against a DynamoDB endpoint: `just test-endpoint http://127.0.0.1:8000`.
test-endpoint url:
    DYNASINK_TEST_ENDPOINT={{ url }} cargo test -p dynasink-tests

# Run the benchmarks, or those whose name contains a word.
bench *filter:
    cargo bench -p dynasink-benches --bench pipe -- {{ filter }}

# What to set for a load, and how long it will take: `just tuning --help`, or docs/src/tuning.md.
tuning *args:
    cargo bench -p dynasink-benches --bench tuning -- {{ args }}

# What share of a table's capacity a load uses, ours and by the laws of others: `just capacity`, `just capacity 07 --trace`.
capacity *args:
    cargo bench -p dynasink-benches --bench capacity -- {{ args }}

# Peak memory of a load of that many rows over HTTP: `just memory 10000000`. Needs GNU time.
memory rows="1000000":
    cargo build --release
    cargo build --release -p dynasink-examples --example generate_parquet
    target/release/examples/generate_parquet --rows {{ rows }} target/rows.parquet
    target/release/dynasink serve --port 8000 & server=$!; trap 'kill $server' EXIT; \
    AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any /usr/bin/time -v target/release/dynasink load target/rows.parquet \
        --table rows --create-table --partition-key id --endpoint-url http://127.0.0.1:8000 --rate 1000000

# Are the guarantees tested? Plants bugs and expects tests to fail: see docs/src/mutants.md. The second part takes many hours.
mutants: mutants-planted mutants-generated

# Bugs kept in tests/mutants, all or those named: `just mutants-planted 'retries-*'`.
mutants-planted *names:
    tests/mutants/run {{ names }}

# Bugs that cargo-mutants makes, or a part of them: `just mutants-generated --re writer/engine`.
mutants-generated *args:
    test -x target/tools/bin/cargo-mutants || cargo install --locked --debug --root target/tools cargo-mutants@27.1.0
    PATH="$PWD/target/tools/bin:$PATH" DYNASINK_SEEDS=40 cargo mutants --workspace --output target/mutants {{ args }}

# Every file of the Parquet corpora against what pyarrow reads.
corpora:
    .ci/run corpora

# Fuzz each target for so many seconds, or one: `just fuzz 600 item_encoder`. Findings are left in fuzz/artifacts.
fuzz seconds="60" target="":
    test -x target/tools/bin/cargo-fuzz || cargo install --locked --debug --root target/tools cargo-fuzz@0.13.1
    PATH="$PWD/target/tools/bin:$PATH" fuzz/run {{ seconds }} {{ target }}

# Every check, as CI runs it.
ci:
    .ci/run

# Is the code formatted?
fmt-check:
    .ci/run fmt

# Lints, on every target and feature.
clippy:
    .ci/run clippy

# Do the docs build, with every link whole?
doc:
    .ci/run doc

# Do the benchmarks compile?
bench-check:
    .ci/run bench

# Do the fuzz targets compile?
fuzz-check:
    .ci/run fuzz

# Licences, banned crates, sources, and advisories where their database can be reached.
deny:
    .ci/run deny

# Does each crate keep out what it must not depend on?
tree:
    .ci/run tree

# Can each bug of tests/mutants still be planted?
mutants-check:
    .ci/run mutants

# The two commands of README.md.
readme:
    .ci/run readme-load readme-test

# The end-to-end tests against dynalite, a DynamoDB server of another codebase.
dynalite:
    .ci/run dynalite

# Sources in S3, against the server of moto.
object-stores:
    .ci/run object-stores

# The report of a load, in headless Chromium.
report:
    .ci/run report
