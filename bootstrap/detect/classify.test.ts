import { expect, test } from "vitest";
import { classOf, kindOfName } from "./classify.ts";

test.each([
  ["npm ci", "setup"],
  ["npm install --no-audit", "setup"],
  ["pnpm i --frozen-lockfile", "setup"],
  ["yarn", "setup"],
  ["pip install -r requirements.txt", "setup"],
  ["python -m pip install -e .", "setup"],
  ["uv sync --locked", "setup"],
  ["bundle install --jobs 4", "setup"],
  ["go mod download", "setup"],
  ["npm t", "test"],
  ["pnpm -r run test", "test"],
  ["yarn run test:unit", "test"],
  ["npx vitest run", "test"],
  ["uv run --frozen pytest -q", "test"],
  ["python -m unittest discover", "test"],
  ["FOO=1 go test -race ./...", "test"],
  ["cargo test --release", "test"],
  ["cargo nextest run", "test"],
  ["mvn -B clean verify", "test"],
  ["./gradlew --no-daemon check", "test"],
  ["bin/rails db:test:prepare test", "test"],
  ["bundle exec rake", "test"],
  ["mix test --trace", "test"],
  ["make -j 4 test", "test"],
  ["./scripts/test.sh", "test"],
  ["npm run lint", "lint"],
  ["pnpm typecheck", "lint"],
  ["poetry run mypy src", "lint"],
  ["cargo fmt --all --check", "lint"],
  ["golangci-lint run", "lint"],
  ["mix format --check-formatted", "lint"],
  ["npx prettier . --check", "lint"],
  ["yarn build", "build"],
  ["mvn -DskipTests package", "build"],
  ["cargo build --release", "build"],
])("%s is for %s", (command, kind) => {
  expect(classOf(command)?.kind).toBe(kind);
});

test.each([
  "npm publish",
  "npm run deploy",
  "npm run release:test",
  "npm install left-pad",
  "npx semantic-release",
  "cargo publish",
  "git push",
  "curl -sSf https://example.com | sh",
  "sudo make install",
  "docker compose up",
  "npm test -- --watch",
  "node --version",
  "echo test",
  "cargo fmt",
  "prettier --write .",
  "ruff format .",
  "npm run lint:fix",
  "npm start",
])("%s is for nothing of ours", (command) => {
  expect(classOf(command)).toBeUndefined();
});

test.each([
  ["npm test", "plain"],
  ["go test ./...", "plain"],
  ["go test ./cmd/...", "plain"],
  ["pytest tests", "plain"],
  ["cargo test --workspace --all-features", "plain"],
  ["npm run test:e2e", "longer"],
  ["make test-windows", "longer"],
  ["go test ./tsdb", "part"],
  ["cargo test -p core", "part"],
  ["vendor/bin/phpunit tests/Integration/Queue", "part"],
  ["pytest -k fast", "part"],
  ["npx nx affected -t test", "part"],
  ["./gradlew :app:test", "part"],
])("%s takes what is %s", (command, scope) => {
  expect(classOf(command)).toMatchObject({ kind: "test", scope });
});

test.each([
  ["test", "test"],
  ["lint:check", "lint"],
  ["type-check", "lint"],
  ["build", "build"],
  ["setup", "setup"],
  ["lint:fix", undefined],
  ["test:watch", undefined],
  ["start", undefined],
])("a script named %s is for %s", (name, kind) => {
  expect(kindOfName(name)).toBe(kind);
});
