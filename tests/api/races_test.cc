// Two requests at the same moment, of which one takes away what the other needs. Whoever comes first in the
// journal, what must never be is never seen: neither by somebody who asks afterwards, nor in the journal.
#include "api/talk.h"
#include "store/journal_rows.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

namespace imprimatur::tests {
namespace {

namespace json = boost::json;

// How much later than the first the second request is sent. The outer ones settle who wins, so that both
// orders are sure to be seen; the inner ones leave it open.
constexpr int kDelays[] = {-60'000, -3000, -1000, -300, -100, 0, 0, 0, 0, 100, 300, 1000, 3000, 60'000};

class Races : public Talk {
 protected:
  using Request = std::function<Reply(std::size_t thread)>;

  Races() {
    for (const char* name : {"ann", "ben", "cas", "dia"}) add_person(name);
  }

  // A project of its own for each round: ann admin, ben and dia reviewers, cas editor.
  void begin(int round) {
    project_ = "shop" + std::to_string(round);
    done("POST", "/api/v1/projects", "ann", {{{"name", project_}}});
    add_member(project_, "ann", "ben", "reviewer");
    add_member(project_, "ann", "dia", "reviewer");
    add_member(project_, "ann", "cas", "editor");
    prompt_ = text_of(
        done("POST", "/api/v1/prompts", "cas",
             {{{"project", project_}, {"name", "greeting"}, {"type", "text"}, {"content", "version 1"}}}),
        "id");
  }
  void save(int number) {
    done("PUT", "/api/v1/prompts/" + prompt_, "cas", {{{"content", "version " + std::to_string(number)}}});
  }
  std::string of_version(int number) {
    return "/api/v1/prompts/" + prompt_ + "/versions/" + std::to_string(number);
  }
  std::string submitted(int number) {
    return "/api/v1/reviews/" +
           text_of(done("POST", of_version(number) + "/submit", "cas", json::object()), "id");
  }
  std::string approved(int number) {
    const std::string review = submitted(number);
    done("POST", review + "/approve", "ben", json::object());
    return review;
  }
  std::string deployed(int number) {
    const json::value made = done("POST", approved(number) + "/deploy", "ben", json::object());
    return text_of(made.at("releases").at(0), "id");
  }

  static std::pair<Reply, Reply> at_once(int delay, const Request& one, const Request& two) {
    std::pair<Reply, Reply> out;
    std::barrier start(2);
    const auto run = [&](std::size_t thread, int pause, const Request& request, Reply& reply) {
      start.arrive_and_wait();
      if (pause > 0) std::this_thread::sleep_for(std::chrono::microseconds(pause));
      reply = request(thread);
    };
    {
      std::jthread first([&] { run(1, -delay, one, out.first); });
      std::jthread second([&] { run(2, delay, two, out.second); });
    }
    return out;
  }
  Request post(const std::string& target, const std::string& who, const json::object& body = {}) {
    return [=, this](std::size_t thread) { return ask("POST", target, who, body, thread); };
  }

  // The actions of the project's journal from the `from`th entry on, in order.
  std::vector<journal::Entry> journal(std::uint64_t from = 1) {
    return world_.store()
        .read([&](store::Tx& tx) -> Result<std::vector<journal::Entry>> {
          return store::entries(tx, store::project_by_name(tx, project_).value().id.text, from, 1000);
        })
        .value();
  }
  // The place in the journal of the last entry of this action; 0 when there is none.
  std::uint64_t last(const std::string& action) {
    std::uint64_t found = 0;
    for (const journal::Entry& entry : journal()) {
      if (entry.event.action == action) found = entry.seq;
    }
    return found;
  }
  // What an application gets: the version's number, or 0 for nothing.
  std::int64_t served() {
    const Reply reply = ask("GET", "/api/v1/runtime/prompts/greeting?project=" + project_, "ann");
    if (reply.status == 404) return 0;
    EXPECT_EQ(reply.status, 200) << reply.text;
    const std::int64_t version = reply.body.at("version").as_int64();
    EXPECT_EQ(text_of(reply.body, "content"), "version " + std::to_string(version));
    return version;
  }
  // The versions that production says are live: one at most.
  std::vector<std::int64_t> live() {
    std::vector<std::int64_t> out;
    const json::value all =
        done("GET", "/api/v1/prompts/" + prompt_ + "/releases?environment=production", "ann");
    for (const json::value& each : all.at("items").as_array()) {
      if (text_of(each, "status") == "live") out.push_back(each.at("version").as_int64());
    }
    return out;
  }

  // A deploy of version 1, approved, against what takes the approval or the right away. In the journal the
  // deploy either comes first or is not there.
  void deploy_against(const std::string& taken_by, const std::string& deployer,
                      const std::function<Reply(std::size_t)>& take_away) {
    int went = 0, refused = 0;
    for (const int delay : kDelays) {
      SCOPED_TRACE("delay " + std::to_string(delay));
      begin(went + refused);
      const std::string review = approved(1);
      const std::uint64_t before = last(taken_by);
      const auto [deploy, loss] = at_once(delay, post(review + "/deploy", deployer), take_away);
      ASSERT_LT(loss.status, 300) << loss.text;
      const std::uint64_t released = last("release.created"), lost = last(taken_by);
      ASSERT_GT(lost, before);
      if (deploy.status == 201) {
        ++went;
        EXPECT_NE(released, 0u);
        EXPECT_LT(released, lost) << "it went live when that was no longer allowed";
        EXPECT_EQ(served(), 1);
      } else {
        ++refused;
        EXPECT_TRUE(deploy.status == 422 || deploy.status == 403) << deploy.status << deploy.text;
        EXPECT_EQ(released, 0u) << "refused, and yet released";
        EXPECT_EQ(served(), 0);
        EXPECT_TRUE(live().empty());
        EXPECT_NE(ask("POST", review + "/deploy", deployer, json::object()).status, 201);
      }
    }
    EXPECT_GT(went, 0) << "no deploy came first";
    EXPECT_GT(refused, 0) << "no deploy came second";
    EXPECT_EQ(world_.verify(), "");
  }
  Reply demote(const std::string& name, std::size_t thread) {
    return ask("PUT", "/api/v1/projects/" + project_ + "/members/" + name + "@example.com", "ann",
               {{{"role", "viewer"}}}, thread);
  }

  std::string project_, prompt_;
};

TEST_F(Races, DeployAgainstTheApproversLossOfTheRole) {
  deploy_against("member.changed", "dia", [this](std::size_t thread) { return demote("ben", thread); });
}

TEST_F(Races, DeployAgainstTheDeployersLossOfTheRole) {
  deploy_against("member.changed", "dia", [this](std::size_t thread) { return demote("dia", thread); });
}

TEST_F(Races, DeployAgainstAStricterProtection) {
  deploy_against("environment.changed", "dia", [this](std::size_t thread) {
    return ask("PUT", "/api/v1/projects/" + project_ + "/environments/production", "ann",
               {{{"protection", json::object{{"approvals", json::object{{"count", 2}}}}}}}, thread);
  });
}

// An approval of the first cycle's digest never lets the second cycle's content through.
TEST_F(Races, ApproveAgainstUpdateOfTheReview) {
  int first = 0, late = 0, round = 0;
  for (const int delay : kDelays) {
    SCOPED_TRACE("delay " + std::to_string(delay));
    begin(round++);
    const std::string review = submitted(1);
    const std::string digest = text_of(done("GET", of_version(1), "ben"), "digest");
    save(2);
    const auto [approve, update] = at_once(delay, post(review + "/approve", "ben", {{"digest", digest}}),
                                           post(review + "/update", "cas"));
    ASSERT_EQ(update.status, 200) << update.text;
    if (approve.status == 200) {
      ++first;
      EXPECT_LT(last("verdict.given"), last("review.moved"));
    } else {
      ++late;
      EXPECT_EQ(approve.status, 409) << approve.text;
      EXPECT_EQ(last("verdict.given"), 0u);
    }
    const json::value now = done("GET", review, "ben");
    EXPECT_EQ(now.at("cycle").as_int64(), 2);
    EXPECT_EQ(text_of(now, "state"), "open");
    EXPECT_FALSE(now.at("gate").at("met").as_bool()) << json::serialize(now);
    for (const int number : {1, 2}) {
      EXPECT_EQ(ask("POST", of_version(number) + "/deploy", "ben", {{{"environment", "production"}}}).status,
                422);
    }
    EXPECT_EQ(ask("POST", review + "/deploy", "ben", json::object()).status, 422);
    EXPECT_EQ(served(), 0);
  }
  EXPECT_GT(first, 0);
  EXPECT_GT(late, 0);
  EXPECT_EQ(world_.verify(), "");
}

// Version 2 is live, 3 is approved on top of it. Either 3 goes live and is rolled back to 2, or 2 is rolled
// back to 1 and the approval of 3, given when 2 was live, counts no longer.
TEST_F(Races, RollBackAgainstDeploy) {
  int deploy_first = 0, back_first = 0, round = 0;
  for (const int delay : kDelays) {
    for (const bool expecting : {false, true}) {
      SCOPED_TRACE("delay " + std::to_string(delay) + (expecting ? ", expecting a release" : ""));
      begin(round++);
      deployed(1);
      save(2);
      const std::string second = deployed(2);
      save(3);
      const std::string review = approved(3);
      json::object wanted{{"environment", "production"}};
      if (expecting) wanted["expectedRelease"] = second;
      const auto [deploy, back] = at_once(delay, post(review + "/deploy", "dia"),
                                          post("/api/v1/prompts/" + prompt_ + "/rollback", "ben", wanted));
      const auto now = live();
      ASSERT_EQ(now.size(), 1u) << "one version is live, always";
      EXPECT_EQ(served(), now.front());
      if (deploy.status == 201) {
        ++deploy_first;
        EXPECT_EQ(back.status, expecting ? 409 : 201) << back.text;
        EXPECT_EQ(now.front(), expecting ? 3 : 2);
        EXPECT_EQ(last("release.created") < last("release.rolled_back"), !expecting);
      } else {
        ++back_first;
        EXPECT_EQ(deploy.status, 422) << deploy.text;
        EXPECT_EQ(back.status, 201) << back.text;
        EXPECT_EQ(now.front(), 1) << "what was live before 2";
        EXPECT_LT(last("release.created"), last("release.rolled_back"));
      }
    }
  }
  EXPECT_GT(deploy_first, 0);
  EXPECT_GT(back_first, 0);
  EXPECT_EQ(world_.verify(), "");
}

// Applications that ask all the time, while something is taken away. `good`: what may still be answered to a
// request that was sent before the taking away was answered; `after`: what must be, to one sent later.
class Fetches : public Races {
 protected:
  using Check = std::function<bool(const Reply&)>;

  void fetch_against(const std::string& key, const std::function<void()>& take_away, const Check& before,
                     const Check& after) {
    constexpr std::size_t kFetchers = 3;
    constexpr int kEnough = 200;  // answers of each, before and after
    std::atomic<bool> taken = false, stop = false;
    std::vector<std::atomic<int>> asked(kFetchers);
    std::atomic<int> wrong = 0, went_back = 0;
    const auto all_asked = [&](int times) {
      std::vector<int> start;
      for (const auto& each : asked) start.push_back(each);
      for (std::size_t i = 0; i < kFetchers; ++i) {
        while (asked[i] < start[i] + times) std::this_thread::yield();
      }
    };
    {
      std::vector<std::jthread> threads;
      for (std::size_t i = 0; i < kFetchers; ++i) {
        threads.emplace_back([&, i] {
          bool seen_after = false;
          while (!stop) {
            const bool late = taken;
            const Reply reply = ask("GET", "/api/v1/runtime/prompts/greeting", key, std::nullopt, 10 + i);
            const bool is_after = after(reply);
            if (late ? !is_after : !(is_after || before(reply))) wrong += 1;
            if (seen_after && !is_after) went_back += 1;
            seen_after = seen_after || is_after;
            ++asked[i];
          }
        });
      }
      all_asked(kEnough);
      take_away();
      taken = true;
      all_asked(kEnough);
      stop = true;
    }
    EXPECT_EQ(wrong, 0) << "answers that were the old ones, or none at all";
    EXPECT_EQ(went_back, 0) << "the new was seen, and then the old again";
  }
  std::pair<std::string, std::string> key() {
    const json::value made =
        done("POST", "/api/v1/projects/" + project_ + "/api-keys", "ann",
             {{{"name", "app"}, {"scopes", json::array{"runtime:read"}}, {"environment", "production"}}});
    return {text_of(made, "id"), text_of(made, "key")};
  }
  static Check version(std::int64_t number) {
    return [number](const Reply& reply) {
      return reply.status == 200 && reply.body.at("version").as_int64() == number &&
             text_of(reply.body, "content") == "version " + std::to_string(number);
    };
  }
};

constexpr int kRounds = 8;

TEST_F(Fetches, AgainstTheRevocationOfTheKey) {
  begin(0);
  deployed(1);
  for (int round = 0; round < kRounds; ++round) {
    const auto [id, secret] = key();
    const std::string target = "/api/v1/projects/" + project_ + "/api-keys/" + id;
    fetch_against(
        secret, [&] { EXPECT_EQ(ask("DELETE", target, "ann").status, 204); }, version(1),
        [](const Reply& reply) { return reply.status == 401; });
  }
  EXPECT_EQ(world_.verify(), "");
}

TEST_F(Fetches, AgainstARollBackAndADeploy) {
  for (int round = 0; round < kRounds; ++round) {
    begin(round);
    deployed(1);
    save(2);
    const std::string review = approved(2), secret = key().second;
    fetch_against(
        secret, [&] { EXPECT_EQ(ask("POST", review + "/deploy", "ben", json::object()).status, 201); },
        version(1), version(2));
    fetch_against(
        secret,
        [&] {
          EXPECT_EQ(ask("POST", "/api/v1/prompts/" + prompt_ + "/rollback", "ben",
                        {{{"environment", "production"}}})
                        .status,
                    201);
        },
        version(2), version(1));
  }
  EXPECT_EQ(world_.verify(), "");
}

}  // namespace
}  // namespace imprimatur::tests
