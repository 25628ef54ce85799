#include "store/commit_feed.h"

#include "base/check.h"
#include "base/log.h"
#include "store/journal_rows.h"

#include <chrono>

namespace imprimatur::store {
namespace {

constexpr int kEntriesAtOnce = 1000;

std::map<std::string, std::uint64_t, std::less<>> sizes(Database& database) {
  std::map<std::string, std::uint64_t, std::less<>> out;
  database.each("SELECT journal, size FROM heads", [&](const Row& row) {
    out.emplace(row.text(0), static_cast<std::uint64_t>(row.integer(1)));
  });
  return out;
}

}  // namespace

CommitFeed::CommitFeed(ConnectionOptions connection, Duration interval, Database& database)
    : connection_(std::move(connection)), interval_(interval) {
  state_.lock()->heard = sizes(database);
}

CommitFeed::~CommitFeed() {
  *stopping_.lock() = true;
  stop_changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void CommitFeed::listen(CommitListener listener) {
  auto state = state_.lock();
  CHECK(!state->listener, "a second listener would take the place of the first");
  state->listener = std::move(listener);
}

void CommitFeed::follow() {
  thread_ = std::thread([this] { run(); });
}

void CommitFeed::hear(State& state, const std::vector<journal::Entry>& entries) {
  std::vector<journal::Entry> fresh;
  std::map<std::string_view, std::uint64_t> reached;
  for (const journal::Entry& entry : entries) {
    const auto [last, first] = reached.try_emplace(entry.journal, 0);
    if (first) last->second = state.heard[entry.journal];
    if (entry.seq != last->second + 1) continue;
    last->second = entry.seq;
    fresh.push_back(entry);
  }
  if (!fresh.empty() && state.listener) state.listener(fresh);
  // Only now: what a listener failed on comes again.
  for (const auto& [journal, seq] : reached) state.heard.find(journal)->second = seq;
}

void CommitFeed::deliver(const std::vector<journal::Entry>& own, Database& database) {
  auto state = state_.lock();
  std::map<std::string, std::uint64_t, std::less<>> first;
  for (const journal::Entry& entry : own) first.emplace(entry.journal, entry.seq);
  Tx tx(database, Time{});
  for (const auto& [journal, seq] : first) {
    // Whatever stands before an entry of ours was committed before we could lock the journal.
    while (state->heard[journal] + 1 < seq) {
      const std::vector<journal::Entry> before =
          entries(tx, journal, state->heard[journal] + 1, kEntriesAtOnce);
      if (before.empty()) break;
      hear(*state, before);
    }
  }
  hear(*state, own);
}

void CommitFeed::catch_up(Database& database) {
  const auto committed = sizes(database);
  auto heard = state_.lock()->heard;
  Tx tx(database, Time{});
  for (const auto& [journal, size] : committed) {
    std::uint64_t& from = heard[journal];
    while (from < size) {
      const std::vector<journal::Entry> batch = entries(tx, journal, from + 1, kEntriesAtOnce);
      if (batch.empty()) break;
      from = batch.back().seq;
      hear(*state_.lock(), batch);
    }
  }
}

void CommitFeed::run() {
  std::unique_ptr<Database> database;
  const auto interval = std::chrono::microseconds(interval_.micros);
  bool failing = false;
  std::string seen_snapshot;
  auto stopping = stopping_.lock();
  while (!stop_changed_.wait_for(stopping.raw(), interval, [&] { return *stopping; })) {
    stopping.raw().unlock();
    try {
      if (!database) database = std::make_unique<Database>(connection_);
      // Unchanged as long as no transaction with changes began or ended anywhere, so idling costs one look.
      const std::string snapshot =
          database
              ->one("SELECT CAST(pg_current_snapshot() AS text)", [](const Row& row) { return row.text(0); })
              .value_or(std::string());
      if (snapshot != seen_snapshot) {
        catch_up(*database);
        seen_snapshot = snapshot;
      }
      failing = false;
    } catch (const std::exception& error) {
      if (!failing) log(LogLevel::warning, "commit_feed_interrupted", {{"error", error.what()}});
      failing = true;
      database.reset();
      seen_snapshot.clear();
    }
    stopping.raw().lock();
  }
}

}  // namespace imprimatur::store
