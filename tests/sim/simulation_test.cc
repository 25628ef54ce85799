// Random people do random things to one project over the API, and the model says after each of them what must
// not have happened. What fails prints its seed; IMPRIMATUR_SEED=n plays it again, and IMPRIMATUR_CASES=n
// plays n hundred steps.
#include "api/talk.h"
#include "base/property_test.h"
#include "sim/model.h"

#include <cstdlib>

namespace imprimatur::tests {
namespace {

namespace json = boost::json;

constexpr int kStepsOfAWorld = 1000;
constexpr int kUsualSteps = 10'000;
constexpr int kSpareMinutes = 90;

const std::vector<std::string> kEnvironments{"development", "staging", "production"};
// Most people can do most things, or nothing would ever go live.
const std::vector<std::string> kRoles{"viewer", "editor", "reviewer", "reviewer", "reviewer", "admin"};

class Simulation : public Talk {
 protected:
  Simulation() {
    for (const char* name : {"ann", "eve", "ben", "dan", "gil", "hal", "cas", "fay"}) people_.push_back(name);
    for (const std::string& name : people_) add_person(name);
    done("POST", "/api/v1/projects", "ann", {{{"name", "shop"}}});
    model_.set_role("ann", "admin");
    give_role("eve", "admin");
    give_role("ben", "reviewer");
    give_role("dan", "reviewer");
    give_role("gil", "reviewer");
    give_role("hal", "reviewer");
    give_role("cas", "editor");
    give_role("fay", "editor");
    done("POST", "/api/v1/projects/shop/service-accounts", "ann", {{{"name", "bot"}}});
    key_ = text_of(done("POST", "/api/v1/projects/shop/api-keys", "ann",
                        {{{"name", "bot"},
                          {"serviceAccount", "bot"},
                          {"scopes", json::array{"prompts:write", "releases:deploy"}}}}),
                   "key");
    model_.needed = {{"development", 0}, {"staging", 0}, {"production", 1}};
    size_ = journal_size();
  }

  void play(Random& random, int steps) {
    for (int i = 0; i < steps && !HasFailure(); ++i) {
      ++model_.step;
      const std::string who = random.one_in(12) ? key_ : random.pick(people_);
      act(random, who);
      if (random.one_in(40)) pass_time(random.between(1, kSpareMinutes));
      if (random.one_in(400)) world_.restart();
      if (random.one_in(25)) look_around(random);
    }
    EXPECT_EQ(world_.verify(), "");
  }

  // How often each thing was done, in all worlds.
  static inline std::map<std::string, int> succeeded_;

 private:
  // Sessions end; people sign in again.
  void pass_time(int minutes) {
    world_.advance(seconds(60LL * minutes));
    since_sign_in_ += minutes;
    if (since_sign_in_ < 6 * 60) return;
    since_sign_in_ = 0;
    for (const std::string& name : people_) sign_in(name, name + "@example.com", "password of " + name);
  }
  bool is_key(const std::string& who) const { return who == key_; }
  // A key acts for the person who owns it.
  std::string behind(const std::string& who) const { return is_key(who) ? "ann" : who; }
  void give_role(const std::string& name, const std::string& role) {
    add_member("shop", "ann", name, role);
    model_.set_role(name, role);
  }
  std::int64_t journal_size() {
    return done("GET", "/api/v1/audit-logs/checkpoint?project=shop", auditor()).at("size").as_int64();
  }
  // Somebody who is admin now.
  std::string auditor() const {
    for (const std::string& name : people_) {
      if (model_.at_least(name, "admin")) return name;
    }
    return "ann";
  }

  // Invariant 9: what was refused left no trace, and what happened did.
  bool happened(const Reply& reply, std::string_view what) {
    const std::int64_t now = journal_size();
    const bool done = reply.status < 300;
    EXPECT_TRUE(done ? now >= size_ : now == size_) << what << ": " << reply.status << " " << reply.text;
    EXPECT_NE(reply.status, 500) << what << ": " << reply.text;
    EXPECT_NE(reply.status, 503) << what << ": " << reply.text;
    size_ = now;
    if (done) ++succeeded_[std::string(what)];
    return done;
  }

  void act(Random& random, const std::string& who) {
    switch (random.below(20)) {
      case 0: return save(random, who);
      case 1:
      case 2: return submit(random, who);
      case 3:
      case 4:
      case 5:
      case 6:
      case 7:
      case 8:
      case 9: return judge(random, who);
      case 10: return dismiss(random, who);
      case 11: return move_on(random, who);
      case 12: return withdraw(random, who);
      case 13:
      case 14: return deploy_review(random, who);
      case 15: return deploy_version(random, who);
      case 16: return roll_back(random, who);
      case 17: return retire(random, who);
      case 18: return change_role(random, who);
      default: return protect(random, who);
    }
  }

  static std::string path(const Prompt& prompt) { return "/api/v1/prompts/" + prompt.id; }
  static std::string path(const Prompt& prompt, int version) {
    return path(prompt) + "/versions/" + std::to_string(version);
  }
  static std::string path(const ReviewState& review) { return "/api/v1/reviews/" + review.id; }
  Prompt* any_prompt(Random& random) {
    return model_.prompts.empty() ? nullptr : &model_.prompts[random.below(model_.prompts.size())];
  }
  // Mostly somebody who may, so that reviews get somewhere.
  std::string judge_of(Random& random, const ReviewState& review, const std::string& who) {
    if (random.one_in(3)) return who;
    const Prompt& prompt = model_.prompts[review.prompt];
    const auto barred = model_.contributors(prompt, review.version, live(prompt, review.environment));
    const std::string& other = random.pick(people_);
    return model_.gives_verdicts(other) && !barred.contains(other) ? other : who;
  }
  // Mostly one of the newest.
  ReviewState* any_review(Random& random) {
    if (model_.reviews.empty()) return nullptr;
    const std::size_t among =
        random.one_in(5) ? model_.reviews.size() : std::min<std::size_t>(model_.reviews.size(), 4);
    return &model_.reviews[model_.reviews.size() - 1 - random.below(among)];
  }
  int any_version(Random& random, const Prompt& prompt) {
    const int latest = static_cast<int>(prompt.versions.size());
    return random.one_in(3) ? random.between(1, latest) : latest;
  }
  static int live(const Prompt& prompt, const std::string& environment) {
    const auto found = prompt.live.find(environment);
    return found == prompt.live.end() ? 0 : found->second;
  }

  void save(Random& random, const std::string& who) {
    const std::string content = "Text " + std::to_string(model_.step);
    Prompt* prompt = any_prompt(random);
    const bool fresh = prompt == nullptr || (model_.prompts.size() < 4 && random.one_in(4));
    const std::string name = "p" + std::to_string(model_.prompts.size());
    const Reply reply =
        fresh ? ask("POST", "/api/v1/prompts", who,
                    {{{"project", "shop"}, {"name", name}, {"type", "text"}, {"content", content}}})
              : ask("PUT", path(*prompt), who, {{{"content", content}}});
    if (!happened(reply, "save")) return;
    EXPECT_TRUE(is_key(who) || model_.at_least(who, "editor")) << who;
    if (fresh) {
      model_.prompts.push_back({text_of(reply.body, "id"), name, {}, {}, {}, {}});
      prompt = &model_.prompts.back();
    }
    prompt->versions.push_back({behind(who), content});
  }

  void submit(Random& random, const std::string& who) {
    const Prompt* prompt = any_prompt(random);
    if (prompt == nullptr) return;
    const int version = any_version(random, *prompt);
    const std::string environment = random.one_in(4) ? "staging" : "production";
    const Reply reply =
        ask("POST", path(*prompt, version) + "/submit", who, {{{"environment", environment}}});
    if (!happened(reply, "submit")) return;
    EXPECT_TRUE(is_key(who) || model_.at_least(who, "editor")) << who;
    ReviewState review;
    review.id = text_of(reply.body, "id");
    review.state = text_of(reply.body, "state");
    review.environment = environment;
    review.prompt = static_cast<std::size_t>(prompt - model_.prompts.data());
    review.version = version;
    review.needed = model_.needed.at(environment);
    for (const ReviewState& other : model_.reviews) {
      EXPECT_FALSE(stands(other) && other.prompt == review.prompt && other.version == version &&
                   other.environment == environment)
          << "two reviews of one version stand";
    }
    model_.reviews.push_back(std::move(review));
  }

  static bool stands(const ReviewState& review) {
    return review.state == "open" || review.state == "approved";
  }

  // A review is approved exactly when the model's people and the number agree.
  void follow(ReviewState& review, const json::value& answer) {
    review.state = text_of(answer, "state");
    if (review.state != "approved") return;
    const int asked = std::max(review.needed, model_.needed.at(review.environment));
    EXPECT_GE(static_cast<int>(model_.approvers(review).size()), asked) << review.id << " is approved";
    EXPECT_TRUE(model_.objectors(review).empty()) << review.id << " is approved";
  }

  void judge(Random& random, std::string who) {
    ReviewState* review = any_review(random);
    if (review == nullptr) return;
    who = judge_of(random, *review, who);
    const std::string word = random.one_in(4) ? "request-changes" : random.one_in(12) ? "reject" : "approve";
    const Prompt& prompt = model_.prompts[review->prompt];
    const int base = live(prompt, review->environment);
    const Reply reply = ask("POST", path(*review) + "/" + word, who, json::object());
    if (!happened(reply, word)) return;
    EXPECT_TRUE(stands(*review)) << word << " in a review that is " << review->state;
    EXPECT_FALSE(is_key(who)) << "invariant 2: a key gave a verdict";
    EXPECT_TRUE(model_.gives_verdicts(who)) << who << " is " << model_.members[who].role;
    EXPECT_FALSE(model_.contributors(prompt, review->version, base).contains(who))
        << "invariant 2: " << who << " judged their own change";
    if (word == "reject") {
      review->state = "rejected";
      return;
    }
    review->said.push_back({who,
                            word == "approve" ? "approve" : "request_changes",
                            review->cycle,
                            model_.step,
                            base,
                            false,
                            {}});
    follow(*review, reply.body);
  }

  void dismiss(Random& random, std::string who) {
    ReviewState* review = any_review(random);
    if (review == nullptr || review->said.empty()) return;
    const std::size_t index = random.below(review->said.size());
    if (random.one_in(3)) who = review->said[index].who;
    const Reply reply = ask("POST", path(*review) + "/dismiss", who,
                            {{{"verdict", static_cast<std::int64_t>(index + 1)}, {"reason", "so"}}});
    if (!happened(reply, "dismiss")) return;
    Said& said = review->said[index];
    EXPECT_EQ(said.kind, "request_changes") << "an approval was set aside";
    EXPECT_TRUE(who == said.who || model_.at_least(who, "admin")) << who;
    if (who == said.who) {
      said.taken_back = true;
    } else {
      const Prompt& prompt = model_.prompts[review->prompt];
      EXPECT_FALSE(
          model_.contributors(prompt, review->version, live(prompt, review->environment)).contains(who))
          << who << " set aside an objection to their own change";
      said.dismissed_by.insert(who);
    }
    follow(*review, reply.body);
  }

  void move_on(Random& random, const std::string& who) {
    ReviewState* review = any_review(random);
    if (review == nullptr) return;
    const Reply reply = ask("POST", path(*review) + "/update", who, json::object());
    if (!happened(reply, "update")) return;
    EXPECT_TRUE(is_key(who) || model_.at_least(who, "editor")) << who;
    review->version = static_cast<int>(reply.body.at("items").at(0).at("version").as_int64());
    review->cycle += 1;
    EXPECT_EQ(reply.body.at("cycle").as_int64(), review->cycle);
    review->needed = model_.needed.at(review->environment);
    follow(*review, reply.body);
  }

  void withdraw(Random& random, const std::string& who) {
    ReviewState* review = any_review(random);
    if (review == nullptr || !random.one_in(2)) return;
    const Reply reply = ask("POST", path(*review) + "/withdraw", who, json::object());
    if (happened(reply, "withdraw")) review->state = text_of(reply.body, "state");
  }

  void went_live(Prompt& prompt, int version, const std::string& environment) {
    prompt.live[environment] = version;
    prompt.history[environment].push_back(version);
  }

  void deploy_review(Random& random, const std::string& who) {
    ReviewState* review = any_review(random);
    if (review == nullptr) return;
    Prompt& prompt = model_.prompts[review->prompt];
    const std::string objection =
        model_.must_not_go_live(prompt, review->version, review->environment, review);
    const Reply reply = ask("POST", path(*review) + "/deploy", who, json::object());
    if (!happened(reply, "deploy of a review")) return;
    EXPECT_EQ(objection, "") << "invariant 1: " << review->id << " went live all the same";
    EXPECT_TRUE(is_key(who) || model_.at_least(who, "reviewer")) << who;
    review->state = "deployed";
    went_live(prompt, review->version, review->environment);
  }

  void deploy_version(Random& random, const std::string& who) {
    Prompt* prompt = any_prompt(random);
    if (prompt == nullptr) return;
    const int version = any_version(random, *prompt);
    const std::string environment = random.pick(kEnvironments);
    ReviewState* review = nullptr;
    for (ReviewState& other : model_.reviews) {
      const bool holds = stands(other) && other.environment == environment && other.version == version &&
                         &model_.prompts[other.prompt] == prompt;
      if (holds) review = &other;
    }
    const std::string objection = model_.must_not_go_live(*prompt, version, environment, review);
    json::object body{{"environment", environment}};
    const bool stale = random.one_in(4);
    if (stale) body["expectedRelease"] = "rel_00000000000000000000000000";
    const Reply reply = ask("POST", path(*prompt, version) + "/deploy", who, body);
    if (!happened(reply, "deploy")) return;
    EXPECT_FALSE(stale) << "invariant 8: it expected what is not there";
    EXPECT_EQ(objection, "") << "invariant 1: version " << version << " went live in " << environment;
    if (review != nullptr) review->state = "deployed";
    went_live(*prompt, version, environment);
  }

  void roll_back(Random& random, const std::string& who) {
    Prompt* prompt = any_prompt(random);
    if (prompt == nullptr) return;
    const std::string environment = random.pick(kEnvironments);
    const Reply reply = ask("POST", path(*prompt) + "/rollback", who, {{{"environment", environment}}});
    if (!happened(reply, "roll back")) return;
    const int version = static_cast<int>(reply.body.at("version").as_int64());
    EXPECT_NE(version, live(*prompt, environment)) << "invariant 11";
    EXPECT_EQ(model_.must_not_come_back(*prompt, version, environment), "") << "invariant 11";
    prompt->live[environment] = version;
  }

  void retire(Random& random, const std::string& who) {
    Prompt* prompt = any_prompt(random);
    if (prompt == nullptr || !random.one_in(4)) return;
    const int version = any_version(random, *prompt);
    const std::string environment = random.pick(kEnvironments);
    const Reply reply =
        ask("POST", path(*prompt, version) + "/retire", who, {{{"environment", environment}}});
    if (!happened(reply, "retire")) return;
    prompt->retired[environment].insert(version);
    if (live(*prompt, environment) == version) prompt->live[environment] = 0;
    for (ReviewState& review : model_.reviews) {
      const bool held = stands(review) && review.environment == environment && review.version == version &&
                        &model_.prompts[review.prompt] == prompt;
      if (held) review.state = "withdrawn";
    }
  }

  void change_role(Random& random, const std::string& who) {
    const std::string target = random.pick(people_), role = random.pick(kRoles);
    const Reply reply =
        ask("PUT", "/api/v1/projects/shop/members/" + target + "@example.com", who, {{{"role", role}}});
    if (!happened(reply, "role")) return;
    EXPECT_TRUE(model_.at_least(who, "admin")) << who << " gave a role";
    model_.set_role(target, role);
  }

  // Invariant 6: after the first release less is asked for only when two admins said so.
  void protect(Random& random, const std::string& who) {
    const std::string environment = random.one_in(3) ? "staging" : "production";
    const int wanted = random.between(environment == "staging" ? 0 : 1, 2);
    const Reply reply = ask("PUT", "/api/v1/projects/shop/environments/" + environment, who,
                            {{{"protection", {{"approvals", {{"count", wanted}}}}}}});
    if (!happened(reply, "protection")) return;
    EXPECT_TRUE(model_.at_least(who, "admin")) << who << " changed a protection";
    const int now = static_cast<int>(reply.body.at("protection").at("approvals").at("count").as_int64());
    const bool released =
        std::any_of(model_.prompts.begin(), model_.prompts.end(),
                    [&](const Prompt& prompt) { return prompt.history.contains(environment); });
    auto& proposed = proposals_[environment];
    if (now < model_.needed[environment] && released) {
      EXPECT_TRUE(!proposed.first.empty() && proposed.first != who && proposed.second == now)
          << "invariant 6: " << who << " alone weakened " << environment;
    }
    if (reply.status == 202) {
      EXPECT_EQ(now, model_.needed[environment]);
      proposed = {who, wanted};
    } else {
      proposed = {};
      model_.needed[environment] = now;
    }
  }

  // What people and applications see is what the model knows: contents never change, one version is live.
  void look_around(Random& random) {
    Prompt* prompt = any_prompt(random);
    if (prompt == nullptr) return;
    const int version = any_version(random, *prompt);
    const json::value stored = done("GET", path(*prompt, version), auditor());
    EXPECT_EQ(text_of(stored, "content"), prompt->versions[static_cast<std::size_t>(version - 1)].content)
        << "invariant 4";
    const json::value seen = done("GET", path(*prompt), auditor());
    for (const std::string& environment : kEnvironments) {
      const json::value* found = seen.at("live").as_object().if_contains(environment);
      EXPECT_EQ(found == nullptr ? 0 : found->as_int64(), live(*prompt, environment)) << environment;
      const Reply fetched =
          ask("GET", "/api/v1/runtime/prompts/" + prompt->name + "?project=shop&environment=" + environment,
              auditor());
      const int expected = live(*prompt, environment);
      EXPECT_EQ(fetched.status, expected == 0 ? 404 : 200) << fetched.text;
      if (fetched.status != 200) continue;
      EXPECT_EQ(fetched.body.at("version").as_int64(), expected);
      EXPECT_EQ(text_of(fetched.body, "content"),
                prompt->versions[static_cast<std::size_t>(expected - 1)].content);
    }
  }

  Model model_;
  std::vector<std::string> people_;
  std::string key_;
  std::int64_t size_ = 0;
  int since_sign_in_ = 0;                                         // minutes
  std::map<std::string, std::pair<std::string, int>> proposals_;  // by whom, and the number wanted
};

int worlds() {
  const char* more = std::getenv("IMPRIMATUR_CASES");
  const int steps = more == nullptr ? kUsualSteps : std::atoi(more) * 100;
  return std::max(1, steps / kStepsOfAWorld);
}

class Plays : public Simulation, public testing::WithParamInterface<int> {
 protected:
  // A history in which something never succeeds says nothing about it.
  static void TearDownTestSuite() {
    constexpr int kEnough = 5;
    if (played_ < kEnough) return;
    for (const char* what :
         {"save", "submit", "approve", "request-changes", "reject", "dismiss", "update", "withdraw",
          "deploy of a review", "deploy", "roll back", "retire", "role", "protection"}) {
      EXPECT_GT(succeeded_[what], 0) << what << " never succeeded in " << played_ << " worlds";
    }
  }
  static inline int played_ = 0;
};

TEST_P(Plays, NothingHappensThatMustNot) {
  const char* given = std::getenv("IMPRIMATUR_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  SCOPED_TRACE("repeat with IMPRIMATUR_SEED=" + std::to_string(seed) + " and --gtest_filter='*/0'");
  Random random(seed);
  play(random, kStepsOfAWorld);
  ++played_;
}

INSTANTIATE_TEST_SUITE_P(Worlds, Plays, testing::Range(0, worlds()));

}  // namespace
}  // namespace imprimatur::tests
