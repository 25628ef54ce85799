// Durable state changes at the store, beside raw SQLite writing the same rows in the same groups.
//   store_commits [SECONDS] [PAIRS]
// One change: a version's state, its artifact's, and the event; 64 writers, every commit synchronised. The
// raw side is one thread with prepared statements on the same schema, without queue, savepoints, hashes or
// signatures, that makes the changes which the store made, in the groups that the store formed.
#include "base/hash.h"
#include "store/registry_rows.h"
#include "store/store.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sqlite3.h>
#include <thread>

namespace imprimatur::bench {
namespace {

using Seconds = std::chrono::duration<double>;
using Steady = std::chrono::steady_clock;

constexpr int kWriters = 64;
constexpr int kArtifacts = 1000;
constexpr std::string_view kSeed = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kProject = "prj_01j9zzzzzzzzzzzzzzzzzzzzzz";

std::string artifact_id(int number) {
  char text[40];
  std::snprintf(text, sizeof text, "art_01j9%022d", number);
  return text;
}

journal::Event event(int artifact, std::string_view to) {
  journal::Event event;
  event.action = "version.submitted";
  event.resource = "artifact:" + artifact_id(artifact);
  event.details =
      R"({"artifact":")" + artifact_id(artifact) + R"(","to":")" + std::string(to) + R"(","version":1})";
  event.actor = {"usr_01j9zzzzzzzzzzzzzzzzzzzzzz"};
  return event;
}

struct Change {
  int artifact;
  std::string_view to;
};
using Groups = std::vector<std::vector<Change>>;

struct Measured {
  double a_second = 0;
  Groups groups;
};

State state_of(int turn) { return turn % 2 == 0 ? State::in_review : State::draft; }

std::vector<Change> changes_in(const std::vector<journal::Entry>& entries) {
  std::vector<Change> out;
  for (const journal::Entry& entry : entries) {
    const std::string& resource = entry.event.resource;
    const bool back = entry.event.details.find(R"("to":"draft")") != std::string::npos;
    out.push_back({std::atoi(resource.c_str() + resource.find("01j9") + 4), name_of(state_of(back ? 1 : 0))});
  }
  return out;
}

std::unique_ptr<store::Store> opened(const std::string& directory, const Clock& clock) {
  store::StoreOptions options;
  options.directory = directory;
  return std::move(store::Store::open(options, clock, kSeed)).value();
}

void fill(store::Store& store) {
  const Status done = store.write({std::string(kProject)}, [](store::Tx& tx) -> Status {
    Project project{{std::string(kProject)}, "bench", "", {"usr_1"}, tx.now()};
    store::insert_project(tx, project);
    for (int i = 0; i < kArtifacts; ++i) {
      Artifact artifact;
      artifact.id = {artifact_id(i)};
      artifact.project = project.id;
      artifact.name = artifact.skeleton = "prompt/" + std::to_string(i);
      store::insert_artifact(tx, artifact);
      Version version;
      version.project = project.id;
      version.artifact = artifact.id;
      version.number = 1;
      version.semver = "1.0.0";
      version.digest = "sha256:" + to_hex(sha256(artifact.name));
      version.content = R"({"content":"A prompt."})";
      store::insert_version(tx, version);
    }
    tx.append(kProject, event(0, "draft"));
    return Ok{};
  });
  if (!done.ok()) std::abort();
}

Measured measure_store(const std::string& directory, double seconds) {
  const SystemClock clock;
  const auto store = opened(directory, clock);
  fill(*store);
  Measured measured;
  std::atomic<bool> stop = false;
  std::atomic<long> done = 0;
  store->on_commit(
      [&](const std::vector<journal::Entry>& entries) { measured.groups.push_back(changes_in(entries)); });
  const auto start = Steady::now();
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i] {
      for (int n = i; !stop; n += kWriters) {
        const int artifact = n % kArtifacts;
        const State to = state_of(n / kArtifacts);
        const Status written = store->write({std::string(kProject)}, [&](store::Tx& tx) -> Status {
          store::put_version_state(tx, {std::string(kProject)}, {{artifact_id(artifact)}, 1}, to,
                                   ArchiveReason::none);
          tx.append(kProject, event(artifact, name_of(to)));
          return Ok{};
        });
        if (!written.ok()) std::abort();
        done += 1;
      }
    });
  }
  std::this_thread::sleep_for(Seconds(seconds));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  measured.a_second = static_cast<double>(done) / Seconds(Steady::now() - start).count();
  return measured;
}

class Raw {
 public:
  explicit Raw(const std::string& file) {
    if (sqlite3_open(file.c_str(), &database_) != SQLITE_OK) std::abort();
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("PRAGMA foreign_keys = ON");
  }
  ~Raw() {
    for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
    sqlite3_close(database_);
  }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK) {
      std::abort();
    }
    return statements_.emplace_back(statement);
  }
  void run(const char* sql) {
    if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) std::abort();
  }
  static void bind(sqlite3_stmt* statement, int at, std::string_view text) {
    sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  static void step(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) std::abort();
    sqlite3_reset(statement);
  }

 private:
  sqlite3* database_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
};

double measure_raw(const std::string& directory, const Groups& groups) {
  const SystemClock clock;
  fill(*opened(directory, clock));
  Raw raw(directory + "/imprimatur.db");
  sqlite3_stmt* begin = raw.prepare("BEGIN IMMEDIATE");
  sqlite3_stmt* commit = raw.prepare("COMMIT");
  sqlite3_stmt* version = raw.prepare(
      "UPDATE versions SET state = ?, reason = 'none' WHERE project = ? AND artifact = ? AND number = 1");
  sqlite3_stmt* artifact = raw.prepare(
      "UPDATE artifacts SET latest_state = ? WHERE project = ? AND id = ? AND latest_version = 1");
  sqlite3_stmt* entry = raw.prepare(
      "INSERT INTO entries (journal, seq, time, action, actor, resource, details, previous, hash) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  sqlite3_stmt* head = raw.prepare(
      "UPDATE heads SET size = ?, last_hash = ?, last_time = ?, frontier = ?, signature = ?, public_key = ? "
      "WHERE journal = ?");
  sqlite3_stmt* marker = raw.prepare("UPDATE writers SET group_number = ?, seen_at = ?");
  const std::string hash = to_hex(sha256("")), frontier(600, 'f'), signature(88, 's'), key(44, 'k');
  const auto start = Steady::now();
  std::int64_t seq = 1, total = 0, group_number = 0;
  for (const std::vector<Change>& group : groups) {
    Raw::step(begin);
    for (const auto& [number, to] : group) {
      total += 1;
      const std::string id = artifact_id(number);
      const journal::Event made = event(number, to);
      Raw::bind(version, 1, to);
      Raw::bind(version, 2, kProject);
      Raw::bind(version, 3, id);
      Raw::step(version);
      Raw::bind(artifact, 1, to);
      Raw::bind(artifact, 2, kProject);
      Raw::bind(artifact, 3, id);
      Raw::step(artifact);
      Raw::bind(entry, 1, kProject);
      sqlite3_bind_int64(entry, 2, ++seq);
      sqlite3_bind_int64(entry, 3, clock.now().micros);
      Raw::bind(entry, 4, made.action);
      Raw::bind(entry, 5, made.actor.text);
      Raw::bind(entry, 6, made.resource);
      Raw::bind(entry, 7, made.details);
      Raw::bind(entry, 8, hash);
      Raw::bind(entry, 9, hash);
      Raw::step(entry);
    }
    sqlite3_bind_int64(head, 1, seq);
    Raw::bind(head, 2, hash);
    sqlite3_bind_int64(head, 3, clock.now().micros);
    Raw::bind(head, 4, frontier);
    Raw::bind(head, 5, signature);
    Raw::bind(head, 6, key);
    Raw::bind(head, 7, kProject);
    Raw::step(head);
    sqlite3_bind_int64(marker, 1, ++group_number);
    sqlite3_bind_int64(marker, 2, clock.now().micros);
    Raw::step(marker);
    Raw::step(commit);
  }
  return static_cast<double>(total) / Seconds(Steady::now() - start).count();
}

// A directory that goes away with everything in it.
class Place {
 public:
  Place() {
    path_ = std::filesystem::temp_directory_path() / "imprimatur-bench-XXXXXX";
    if (::mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~Place() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int main_of(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2;
  const int pairs = argc > 2 ? std::atoi(argv[2]) : 5;
  std::printf("durable state changes, %d writers, %u cores, %.0f s a run, alternating\n", kWriters,
              std::thread::hardware_concurrency(), seconds);
  std::vector<double> ratios;
  for (int i = 0; i < pairs; ++i) {
    const Measured store = measure_store(Place().path(), seconds);
    const double raw = measure_raw(Place().path(), store.groups);
    std::size_t total = 0;
    for (const auto& group : store.groups) total += group.size();
    ratios.push_back(store.a_second / raw);
    std::printf("  store %8.0f /s   raw SQLite %8.0f /s   ratio %.2f   %.1f changes a commit\n",
                store.a_second, raw, ratios.back(),
                static_cast<double>(total) / static_cast<double>(store.groups.size()));
  }
  std::ranges::sort(ratios);
  const double median = ratios[ratios.size() / 2];
  std::printf("ratio %.2f (from %.2f to %.2f); bar 0.50: %s\n", median, ratios.front(), ratios.back(),
              median >= 0.5 ? "met" : "MISSED");
  return median >= 0.5 ? 0 : 1;
}

}  // namespace
}  // namespace imprimatur::bench

int main(int argc, char** argv) { return imprimatur::bench::main_of(argc, argv); }
