// Every row comes back as it was written, on every database.
#include "store/backend_test.h"
#include "store/database.h"
#include "store/identity_rows.h"
#include "store/journal_rows.h"
#include "store/lock_rows.h"
#include "store/registry_rows.h"

namespace imprimatur::store {
namespace {

constexpr Time kStart{1'800'000'000'000'000};

class RowsTest : public OpenStoreTest {
 protected:
  void given_project() {
    environment_.protection.version = 1;
    environment_.protection.approvals.count = 1;
    environment_.protection.checks = {"scan"};
    ASSERT_TRUE(change([&](Tx& tx) {
                  insert_project(tx, project_);
                  insert_environment(tx, environment_);
                }).ok());
  }
  Artifact artifact_of(const std::string& id, const std::string& name) {
    Artifact artifact;
    artifact.id = {id};
    artifact.project = project_.id;
    artifact.name = name;
    artifact.skeleton = name;
    artifact.latest_version = 1;
    artifact.created_by = {"usr_1"};
    return artifact;
  }
  Version version_of(const std::string& artifact, std::int64_t number, const std::string& text) {
    Version version;
    version.project = project_.id;
    version.artifact = {artifact};
    version.number = number;
    version.semver = "1.0." + std::to_string(number);
    version.digest = "sha256:" + std::to_string(number);
    version.content = R"({"content":")" + text + R"(","kind":"prompt","messages":null})";
    version.author = {"usr_" + std::to_string(number)};
    return version;
  }
  void given_prompt(const std::string& id, const std::string& name, const std::string& text) {
    ASSERT_TRUE(change([&](Tx& tx) {
                  insert_artifact(tx, artifact_of(id, name));
                  insert_version(tx, version_of(id, 1, text));
                }).ok());
  }
  Release release_of(const std::string& id, std::int64_t version) {
    Release release;
    release.id = {id};
    release.project = project_.id;
    release.environment = environment_.id;
    release.artifact = {"art_1"};
    release.version = version;
    release.digest = "sha256:" + std::to_string(version);
    return release;
  }
  std::vector<std::string> names(const ArtifactQuery& query, const PageRequest& page = {}) {
    std::vector<std::string> out;
    for (const Artifact& a : look([&](Tx& tx) { return artifacts(tx, query, page).value(); }).items) {
      out.push_back(a.name);
    }
    return out;
  }
  Project project_{{"prj_1"}, "shop", "what we sell", {"usr_1"}, Time{5}};
  Environment environment_{{"env_1"}, {"prj_1"}, "production", 3, {}, Time{7}};
};
using Names = std::vector<std::string>;

TEST_P(RowsTest, ProjectsAndEnvironments) {
  given_project();
  EXPECT_EQ(look([&](Tx& tx) { return project(tx, {"prj_1"}); })->description, "what we sell");
  EXPECT_FALSE(look([&](Tx& tx) { return project(tx, {"prj_2"}); }).has_value());
  EXPECT_EQ(look([&](Tx& tx) { return project_by_name(tx, "shop"); })->created_at, Time{5});
  EXPECT_EQ(look([&](Tx& tx) { return environments(tx, {"prj_1"}); }).at(0).protection,
            environment_.protection);

  Environment stricter = environment_;
  stricter.protection.version = 2;
  stricter.protection.approvals.count = 2;
  stricter.order = 9;
  ASSERT_TRUE(change([&](Tx& tx) {
                put_environment(tx, stricter);
                put_proposal(tx, {environment_, {"usr_9"}});
              }).ok());
  const auto now = look([&](Tx& tx) { return environment_by_name(tx, {"prj_1"}, "production"); });
  EXPECT_EQ(now->order, 9);
  EXPECT_EQ(now->protection.approvals.count, 2);
  EXPECT_EQ(look([&](Tx& tx) { return protection(tx, {"env_1"}, 1); })->approvals.count, 1);
  EXPECT_FALSE(look([&](Tx& tx) { return protection(tx, {"env_1"}, 3); }).has_value());
  EXPECT_EQ(look([&](Tx& tx) { return proposal(tx, {"env_1"}); })->by.text, "usr_9");
  ASSERT_TRUE(change([&](Tx& tx) { delete_proposal(tx, {"env_1"}); }).ok());
  EXPECT_FALSE(look([&](Tx& tx) { return proposal(tx, {"env_1"}); }).has_value());
}

TEST_P(RowsTest, ArtifactsAreListedByNameAndFoundByTextTagAndState) {
  given_project();
  given_prompt("art_1", "support/reply", "Refund the ORDER 100% now");
  given_prompt("art_2", "Billing", "Say hello_world");
  given_prompt("art_3", "zürich", "Grüezi");
  Artifact tagged = *look([&](Tx& tx) { return artifact(tx, {"art_2"}); });
  tagged.tags = {"money", "a,\"b\n"};
  ASSERT_TRUE(change([&](Tx& tx) { put_artifact(tx, tagged); }).ok());
  EXPECT_EQ(look([&](Tx& tx) { return artifact(tx, {"art_2"}); })->tags, tagged.tags);

  const ProjectId project{"prj_1"};
  EXPECT_EQ(names({project}), (Names{"Billing", "support/reply", "zürich"}));
  EXPECT_EQ(names({.project = project, .name = "Billing"}), (Names{"Billing"}));
  EXPECT_EQ(names({.project = project, .text = "refund the order 100%"}), (Names{"support/reply"}));
  EXPECT_EQ(names({.project = project, .text = "100%  now"}), (Names{}));
  EXPECT_EQ(names({.project = project, .text = "o_w"}), (Names{"Billing"}));
  EXPECT_EQ(names({.project = project, .text = "e%w"}), (Names{}));
  EXPECT_EQ(names({.project = project, .text = "MONEY"}), (Names{"Billing"}));
  EXPECT_EQ(names({.project = project, .text = "billing"}), (Names{"Billing"}));
  EXPECT_EQ(names({.project = project, .text = "kind"}), (Names{}));  // a member's name, not text
  EXPECT_EQ(names({.project = project, .tag = "money"}), (Names{"Billing"}));
  EXPECT_EQ(names({.project = project, .tag = "mon"}), (Names{}));
  EXPECT_EQ(names({.project = {"prj_2"}}), (Names{}));
  ASSERT_TRUE(change([&](Tx& tx) {
                put_version_state(tx, {"prj_1"}, {{"art_3"}, 1}, State::in_review, ArchiveReason::none);
              }).ok());
  EXPECT_EQ(names({.project = project, .state = State::in_review}), (Names{"zürich"}));
  EXPECT_EQ(names({.project = project, .state = State::draft}), (Names{"Billing", "support/reply"}));
  EXPECT_EQ(names({.project = project, .only_live = true}), (Names{}));

  const auto first = look([&](Tx& tx) { return artifacts(tx, {project}, {.limit = 2}).value(); });
  EXPECT_EQ(names({project}, {.limit = 2, .cursor = first.next_cursor}), (Names{"zürich"}));
  EXPECT_EQ(look([&](Tx& tx) { return artifacts(tx, {project}, {.limit = 3}).value(); }).next_cursor, "");
  for (const std::string& bad :
       {std::string("%"), std::string("bjE"), std::string(5000, 'a'), std::string("dP8")}) {
    EXPECT_EQ(look([&](Tx& tx) { return artifacts(tx, {project}, {.cursor = bad}).ok(); }), false) << bad;
  }
}

TEST_P(RowsTest, VersionsAreKeptByteForByte) {
  given_project();
  given_prompt("art_1", "a", "one");
  Version second = version_of("art_1", 2, "x");
  second.content = "{\"content\":\"\x01\xF0\x9F\x98\x80 e\xCC\x81 \xE2\x80\xAE ' \\\" :p1 ? $1 -- ;\"}";
  second.accountable = {"usr_7"};
  second.base_version = 1;
  ASSERT_TRUE(change([&](Tx& tx) { insert_version(tx, second); }).ok());
  const auto back = look([&](Tx& tx) { return version(tx, {"art_1"}, 2); });
  EXPECT_EQ(back->content, second.content);
  EXPECT_EQ(back->accountable.text, "usr_7");
  EXPECT_EQ(back->base_version, 1);
  EXPECT_FALSE(look([&](Tx& tx) { return version(tx, {"art_1"}, 3); }).has_value());
  EXPECT_EQ(look([&](Tx& tx) { return artifact(tx, {"art_1"}); })->latest_version, 2);
  const auto page = look([&](Tx& tx) { return versions(tx, {"art_1"}, {.limit = 1}).value(); });
  EXPECT_EQ(page.items.at(0).number, 2);
  EXPECT_EQ(look([&](Tx& tx) { return versions(tx, {"art_1"}, {.cursor = page.next_cursor}).value(); })
                .items.at(0)
                .number,
            1);
  const auto who = look([&](Tx& tx) { return savers(tx, {"art_1"}, 0); });
  EXPECT_EQ(who, (std::vector<PrincipalId>{{"usr_1"}, {"usr_2"}, {"usr_7"}}));
  EXPECT_EQ(look([&](Tx& tx) { return savers(tx, {"art_1"}, 2); }), (std::vector<PrincipalId>{}));

  ASSERT_TRUE(change([&](Tx& tx) {
                for (int i = 1; i <= 3; ++i) {
                  insert_scan(tx, {{"scn_" + std::to_string(i)},
                                   project_.id,
                                   {"art_1"},
                                   2,
                                   "sha256:2",
                                   "r",
                                   "warn",
                                   45 + i,
                                   0,
                                   "{}",
                                   {"usr_1"},
                                   Time{9}});
                }
              }).ok());
  EXPECT_EQ(look([&](Tx& tx) { return latest_scan(tx, {"art_1"}, 2); })->score_tenths, 48);
  EXPECT_FALSE(look([&](Tx& tx) { return latest_scan(tx, {"art_1"}, 1); }).has_value());
  EXPECT_EQ(look([&](Tx& tx) { return scans(tx, {"art_1"}, 2, {.limit = 2}).value(); }).items.at(1).id.text,
            "scn_2");
}

TEST_P(RowsTest, Reviews) {
  given_project();
  given_prompt("art_1", "a", "one");
  ASSERT_TRUE(change([&](Tx& tx) { insert_version(tx, version_of("art_1", 2, "two")); }).ok());
  Review review;
  review.id = {"rev_b"};
  review.project = project_.id;
  review.environment = environment_.id;
  review.items = {{{"art_1"}, 1, "sha256:1", {"rel_0"}}};
  review.submitted_by = {"usr_1"};
  review.comment = "please";
  Review other = review;
  other.id = {"rev_a"};  // submitted later, although its id sorts before
  other.submitted_by = {"usr_2"};
  ASSERT_TRUE(change([&](Tx& tx) {
                insert_review(tx, review);
                insert_review(tx, other);
              }).ok());
  review.cycle = 2;
  review.state = ReviewState::approved;
  review.items = {{{"art_1"}, 2, "sha256:2", {}}};
  ASSERT_TRUE(
      change([&](Tx& tx) {
        put_review(tx, review);
        for (const VerdictKind kind : {VerdictKind::reject, VerdictKind::approve}) {
          insert_verdict(tx, {review.id, 2, {"usr_3"}, kind, environment_.id, "i", "b", 1, "ok", Time{3}});
        }
        insert_comment(tx, {"com_1", review.id, 2, {"usr_3"}, "first", Time{4}});
        insert_comment(tx, {"com_0", review.id, 2, {"usr_3"}, "second", Time{4}});
      }).ok());
  EXPECT_EQ(look([&](Tx& tx) { return store::review(tx, {"rev_b"}); })->items, review.items);
  const auto ids = [&](const ReviewQuery& query) {
    Names out;
    for (const Review& r : look([&](Tx& tx) { return reviews(tx, query, {}).value(); }).items)
      out.push_back(r.id.text);
    return out;
  };
  EXPECT_EQ(ids({project_.id}), (Names{"rev_a", "rev_b"}));
  EXPECT_EQ(ids({.project = project_.id, .state = ReviewState::approved}), (Names{"rev_b"}));
  EXPECT_EQ(ids({.project = project_.id, .submitted_by = {"usr_2"}}), (Names{"rev_a"}));
  EXPECT_EQ(ids({.project = project_.id, .artifact = {"art_1"}}), (Names{"rev_a", "rev_b"}));
  EXPECT_EQ(ids({.project = project_.id, .artifact = {"art_2"}}), (Names{}));
  EXPECT_EQ(look([&](Tx& tx) { return reviews_of(tx, {"art_1"}, 1); }).size(), 2u);
  EXPECT_EQ(look([&](Tx& tx) { return reviews_of(tx, {"art_1"}, 2); }).at(0).id.text, "rev_b");
  const auto given = look([&](Tx& tx) { return verdicts(tx, {"rev_b"}); });
  ASSERT_EQ(given.size(), 2u);
  EXPECT_EQ(given[0].kind, VerdictKind::reject);
  EXPECT_EQ(given[1].kind, VerdictKind::approve);
  EXPECT_EQ(given[1].base_digest, "b");
  const auto said = look([&](Tx& tx) { return comments(tx, {"rev_b"}, {.limit = 1}).value(); });
  EXPECT_EQ(said.items.at(0).text, "first");
  EXPECT_EQ(look([&](Tx& tx) { return comments(tx, {"rev_b"}, {.cursor = said.next_cursor}).value(); })
                .items.at(0)
                .text,
            "second");
}

TEST_P(RowsTest, LocksAndWhoRestsOnALayer) {
  given_project();
  given_prompt("art_t", "tone", "Be kind");
  const auto including = [&](const std::string& id, std::int64_t number, std::vector<LayerRef> layers,
                             std::vector<LockEntry> lock) {
    Content content;
    content.name = id;
    content.semver = "1." + std::to_string(number) + ".0";
    content.text = "x";
    content.layers = std::move(layers);
    content.lock = std::move(lock);
    Version version = version_of(id, number, "");
    version.content = canonical_content(content);
    return version;
  };
  const std::string digest = "sha256:" + std::string(64, 'a');
  ASSERT_TRUE(
      change([&](Tx& tx) {
        for (const char* id : {"art_a", "art_b", "art_c"}) insert_artifact(tx, artifact_of(id, id));
        insert_version(tx, including("art_a", 1, {{"tone", "*"}}, {{"tone", 1, digest}, {"z", 7, digest}}));
        // Only through another layer, only in the past, or not at an earlier version.
        insert_version(tx, including("art_b", 1, {{"z", "*"}}, {{"z", 7, digest}, {"tone", 1, digest}}));
        insert_version(tx, including("art_c", 1, {{"tone", "*"}}, {{"tone", 1, digest}}));
        insert_version(tx, including("art_c", 2, {}, {}));
      }).ok());
  const auto rests = [&](std::string_view layer, std::int64_t below, int limit) {
    Names out;
    for (const auto& id : look([&](Tx& tx) { return dependants(tx, project_.id, layer, below, limit); }))
      out.push_back(id.text);
    return out;
  };
  EXPECT_EQ(rests("tone", 2, 9), Names{"art_a"});
  EXPECT_EQ(rests("tone", 1, 9), Names{});
  EXPECT_EQ(rests("z", 8, 9), Names{"art_b"});
  EXPECT_EQ(rests("tone", 2, 0), Names{});
  const auto lock = look([&](Tx& tx) { return locks(tx, {"art_a"}, 1); });
  ASSERT_EQ(lock.size(), 2u);
  EXPECT_EQ(lock[0].name, "tone");
  EXPECT_TRUE(lock[0].direct);
  EXPECT_EQ(lock[1].version, 7);
  EXPECT_FALSE(lock[1].direct);
  EXPECT_TRUE(look([&](Tx& tx) { return locks(tx, {"art_c"}, 2); }).empty());
  EXPECT_EQ(look([&](Tx& tx) { return artifact_by_name(tx, project_.id, "tone"); })->id.text, "art_t");
  EXPECT_FALSE(look([&](Tx& tx) { return artifact_by_name(tx, project_.id, "Tone"); }).has_value());
  EXPECT_NE(look([&](Tx& tx) { return content_named(tx, project_.id, "tone", 1); })->find("Be kind"),
            std::string::npos);
  EXPECT_FALSE(look([&](Tx& tx) { return content_named(tx, project_.id, "tone", 2); }).has_value());

  ASSERT_TRUE(change([&](Tx& tx) {
                insert_version(tx, version_of("art_t", 2, "Be curt"));
                put_version_state(tx, project_.id, {{"art_t"}, 1}, State::archived, ArchiveReason::retired);
              }).ok());
  const auto candidates = look([&](Tx& tx) { return layer_candidates(tx, *artifact(tx, {"art_t"})); });
  ASSERT_EQ(candidates.size(), 1u);
  EXPECT_EQ(candidates[0].number, 2);
  EXPECT_EQ(candidates[0].semver, "1.0.2");
}

TEST_P(RowsTest, WhatWasLetThrough) {
  given_project();
  given_prompt("art_1", "a", "one");
  const auto was = [&](std::int64_t version) {
    return look([&](Tx& tx) { return was_let_through(tx, {"art_1"}, version, {"env_1"}); });
  };
  ASSERT_TRUE(change([&](Tx& tx) {
                for (std::int64_t number = 2; number <= 4; ++number)
                  insert_version(tx, version_of("art_1", number, "x"));
                insert_release(tx, release_of("rel_1", 1));
                end_release(tx, {"rel_1"}, ReleaseEnd::superseded, Time{8});
                insert_release(tx, release_of("rel_2", 2));
                end_release(tx, {"rel_2"}, ReleaseEnd::rolled_back, Time{9});
                Release forced = release_of("rel_3", 3);
                forced.protection_met = false;
                insert_release(tx, forced);
              }).ok());
  EXPECT_TRUE(was(1));
  EXPECT_FALSE(was(2)) << "it was rolled back from";
  EXPECT_FALSE(was(3)) << "its protection was not met";
  EXPECT_FALSE(was(4)) << "it never was live";
  ASSERT_TRUE(
      change([&](Tx& tx) { insert_retirement(tx, project_.id, {"art_1"}, 1, {"env_1"}, Time{10}); }).ok());
  EXPECT_FALSE(was(1));
}

TEST_P(RowsTest, ReleasesAndWhatIsServed) {
  given_project();
  given_prompt("art_1", "a", "one");
  ASSERT_TRUE(change([&](Tx& tx) {
                insert_version(tx, version_of("art_1", 2, "two"));
                insert_version(tx, version_of("art_1", 3, "three"));
                EXPECT_FALSE(any_release(tx, environment_.id));
                insert_release(tx, release_of("rel_1", 1));
                end_release(tx, {"rel_1"}, ReleaseEnd::superseded, Time{8});
                insert_release(tx, release_of("rel_2", 2));
                end_release(tx, {"rel_2"}, ReleaseEnd::rolled_back, Time{9});
                Release back = release_of("rel_0", 1);
                back.kind = ReleaseKind::roll_back;
                back.previous = {"rel_1"};
                insert_release(tx, back);
              }).ok());
  EXPECT_TRUE(look([&](Tx& tx) { return any_release(tx, {"env_1"}); }));
  EXPECT_EQ(look([&](Tx& tx) { return live_release(tx, {"art_1"}, {"env_1"}); })->id.text, "rel_0");
  EXPECT_EQ(look([&](Tx& tx) { return live_releases(tx, {"art_1"}); }).size(), 1u);
  EXPECT_EQ(look([&](Tx& tx) { return release(tx, {"rel_2"}); })->end, ReleaseEnd::rolled_back);
  EXPECT_EQ(look([&](Tx& tx) { return releases(tx, {"art_1"}, {"env_1"}, {}).value(); }).items.at(0).id.text,
            "rel_0");
  EXPECT_EQ(names({.project = project_.id, .only_live = true}), (Names{"a"}));
  const auto served = [&] {
    Names one, all;
    for (const auto& d : look([&](Tx& tx) { return deliverables(tx, {"art_1"}, {"env_1"}); })) {
      one.push_back(d.release.text + " " + std::to_string(d.version));
    }
    look([&](Tx& tx) {
      each_deliverable(
          tx, [&](const Deliverable& d) { all.push_back(d.release.text + " " + std::to_string(d.version)); });
      return 0;
    });
    std::ranges::sort(one);
    std::ranges::sort(all);
    EXPECT_EQ(one, all);
    return one;
  };
  EXPECT_EQ(served(), (Names{"rel_0 1", "rel_2 2"}));
  ASSERT_TRUE(
      change([&](Tx& tx) { insert_retirement(tx, project_.id, {"art_1"}, 2, {"env_1"}, Time{10}); }).ok());
  EXPECT_TRUE(look([&](Tx& tx) { return retired(tx, {"art_1"}, 2, {"env_1"}); }));
  EXPECT_FALSE(look([&](Tx& tx) { return retired(tx, {"art_1"}, 1, {"env_1"}); }));
  EXPECT_EQ(served(), (Names{"rel_0 1"}));

  // One stable release and one candidate, whatever the program above does.
  EXPECT_EQ(change([&](Tx& tx) { insert_release(tx, release_of("rel_9", 3)); }).error().code,
            ErrorCode::conflict);
  Release candidate = release_of("rel_9", 3);
  candidate.rollout = "{}";
  ASSERT_TRUE(change([&](Tx& tx) { insert_release(tx, candidate); }).ok());
  EXPECT_EQ(look([&](Tx& tx) { return live_release(tx, {"art_1"}, {"env_1"}); })->id.text, "rel_0");
  candidate.id = {"rel_8"};
  EXPECT_FALSE(change([&](Tx& tx) { insert_release(tx, candidate); }).ok());

  ASSERT_TRUE(change([&](Tx& tx) {
                put_label(tx, project_.id, {{"art_1"}, "stable", 1, {"usr_1"}, Time{1}});
                put_label(tx, project_.id, {{"art_1"}, "stable", 2, {"usr_1"}, Time{2}});
                put_label(tx, project_.id, {{"art_1"}, "old", 1, {"usr_1"}, Time{2}});
                delete_label(tx, {"art_1"}, "old");
              }).ok());
  const auto found = look([&](Tx& tx) { return labels(tx, {"art_1"}); });
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].version, 2);
}

TEST_P(RowsTest, PeopleAndKeys) {
  given_project();
  User ann{{"usr_1"}, "ann@example.org", "Ann", "hash", true, false, Time{1}};
  ASSERT_TRUE(change([&](Tx& tx) {
                insert_user(tx, ann);
                insert_user(tx, {{"usr_2"}, "bob@example.org", "Bob", "", false, false, Time{1}});
                insert_team(tx, {{"tea_1"}, project_.id, "safety"});
                put_member(tx, project_.id, {{"usr_1"}, Role::admin, {{"tea_1"}}, Time{4}, true});
                put_member(tx, project_.id, {{"usr_2"}, Role::viewer, {}, Time{5}, true});
              }).ok());
  EXPECT_EQ(look([&](Tx& tx) { return count_users(tx); }), 2);
  EXPECT_EQ(look([&](Tx& tx) { return user_by_email(tx, "ann@example.org"); })->id.text, "usr_1");
  EXPECT_EQ(look([&](Tx& tx) { return users(tx, {.limit = 1}).value(); }).items.at(0).email,
            "ann@example.org");
  EXPECT_EQ(look([&](Tx& tx) { return membership(tx, {"prj_1"}, {"usr_1"}); })->teams.at(0).text, "tea_1");
  EXPECT_EQ(look([&](Tx& tx) { return members(tx, {"prj_1"}); }).at(1).display_name, "Bob");
  EXPECT_EQ(look([&](Tx& tx) { return standings(tx, {"usr_1"}); }).at(0).role, Role::admin);
  EXPECT_EQ(look([&](Tx& tx) { return teams(tx, {"prj_1"}); }).at(0).name, "safety");
  ann.disabled = true;
  ASSERT_TRUE(change([&](Tx& tx) {
                put_user(tx, ann);
                put_member(tx, project_.id, {{"usr_1"}, Role::editor, {}, Time{4}, true});
                delete_member(tx, project_.id, {"usr_2"});
              }).ok());
  const auto now = look([&](Tx& tx) { return membership(tx, {"prj_1"}, {"usr_1"}); });
  EXPECT_FALSE(now->active);
  EXPECT_EQ(now->role, Role::editor);
  EXPECT_TRUE(now->teams.empty());
  EXPECT_FALSE(look([&](Tx& tx) { return membership(tx, {"prj_1"}, {"usr_2"}); }).has_value());
  EXPECT_EQ(change([&](Tx& tx) {
              insert_user(tx, {{"usr_3"}, "bob@example.org", "B", "", false, false, Time{1}});
            })
                .error()
                .code,
            ErrorCode::conflict);

  ApiKey key;
  key.id = {"key_1"};
  key.project = project_.id;
  key.account = {"svc_1"};
  key.owner = {"usr_1"};
  key.scopes = {Scope::runtime_read, Scope::checks_write};
  key.expires_at = Time{99};
  ASSERT_TRUE(change([&](Tx& tx) {
                insert_service_account(tx, {{"svc_1"}, project_.id, "ci", {"usr_1"}, false, Time{1}});
                insert_key(tx, key);
                put_key_revoked(tx, key.id, Time{50});
              }).ok());
  // What is no evidence needs no event.
  ASSERT_TRUE(
      store_
          ->write({},
                  [&](Tx& tx) -> Status {
                    put_key_used(tx, {"key_1"}, Time{70});
                    put_key_used(tx, {"key_1"}, Time{60});
                    insert_session(tx, {{"ses_1"}, {"usr_1"}, "h1", "c", Time{1}, Time{100}, Time{1}});
                    put_session_used(tx, {"ses_1"}, Time{30});
                    put_failed_logins(tx, "acc", {3, Time{5}});
                    put_idempotent(tx, {"usr_1"}, "k", {"r", "version:art_1:1"}, Time{20});
                    return Ok{};
                  })
          .ok());
  const auto kept = look([&](Tx& tx) { return store::key(tx, {"key_1"}); });
  EXPECT_EQ(kept->scopes, key.scopes);
  EXPECT_EQ(kept->last_used_at, Time{70});
  EXPECT_EQ(kept->revoked_at, Time{50});
  EXPECT_EQ(kept->expires_at, Time{99});
  int seen = 0;
  look([&](Tx& tx) {
    each_usable_key(tx, [&](const ApiKey&) { ++seen; });
    return 0;
  });
  EXPECT_EQ(seen, 0);
  EXPECT_EQ(look([&](Tx& tx) { return keys(tx, {"prj_1"}); }).size(), 1u);
  EXPECT_EQ(look([&](Tx& tx) { return service_accounts(tx, {"prj_1"}); }).at(0).name, "ci");
  EXPECT_EQ(look([&](Tx& tx) { return display_of(tx, {"svc_1"}); }), "ci");
  EXPECT_EQ(look([&](Tx& tx) { return display_of(tx, {"usr_1"}); }), "Ann");
  EXPECT_EQ(look([&](Tx& tx) { return display_of(tx, {"usr_404"}); }), "usr_404");
  EXPECT_EQ(look([&](Tx& tx) { return session_by_hash(tx, "h1"); })->last_used_at, Time{30});
  EXPECT_EQ(look([&](Tx& tx) { return failed_logins(tx, "acc"); }).count, 3);
  EXPECT_EQ(look([&](Tx& tx) { return failed_logins(tx, "else"); }).count, 0);
  EXPECT_EQ(look([&](Tx& tx) { return idempotent(tx, {"usr_1"}, "k", Time{20}); })->outcome,
            "version:art_1:1");
  EXPECT_FALSE(look([&](Tx& tx) { return idempotent(tx, {"usr_1"}, "k", Time{21}); }).has_value());
  EXPECT_FALSE(look([&](Tx& tx) { return idempotent(tx, {"usr_2"}, "k", Time{0}); }).has_value());
  ASSERT_TRUE(store_
                  ->write({},
                          [&](Tx& tx) -> Status {
                            delete_expired_sessions(tx, Time{100});
                            delete_failed_logins(tx, "acc");
                            delete_old_idempotent(tx, Time{21});
                            return Ok{};
                          })
                  .ok());
  EXPECT_FALSE(look([&](Tx& tx) { return session_by_hash(tx, "h1"); }).has_value());
  EXPECT_EQ(look([&](Tx& tx) { return failed_logins(tx, "acc"); }).count, 0);
  EXPECT_FALSE(look([&](Tx& tx) { return idempotent(tx, {"usr_1"}, "k", Time{0}); }).has_value());
}

TEST_P(RowsTest, Audit) {
  for (int i = 0; i < 5; ++i) {
    clock_.advance(seconds(1));
    ASSERT_TRUE(store_
                    ->write({"org"},
                            [&](Tx& tx) -> Status {
                              tx.append("org", {i % 2 == 0 ? "version.saved" : "user.created",
                                                "artifact:art_" + std::to_string(i),
                                                "{}",
                                                {"usr_" + std::to_string(i % 3)}});
                              return Ok{};
                            })
                    .ok());
  }
  using Seqs = std::vector<std::uint64_t>;
  const auto seqs = [&](const AuditQuery& query, PageRequest page = {}) {
    Seqs out;
    for (const auto& entry : look([&](Tx& tx) { return audit(tx, query, page).value(); }).items) {
      out.push_back(entry.seq);
    }
    return out;
  };
  EXPECT_EQ(seqs({"org"}), (Seqs{5, 4, 3, 2, 1}));
  EXPECT_EQ(seqs({.journal = "org", .action = "version.*"}), (Seqs{5, 3, 1}));
  EXPECT_EQ(seqs({.journal = "org", .action = "user.created"}), (Seqs{4, 2}));
  EXPECT_EQ(seqs({.journal = "org", .action = "vers.*"}), (Seqs{}));
  EXPECT_EQ(seqs({.journal = "org", .actor = "usr_0"}), (Seqs{4, 1}));
  EXPECT_EQ(seqs({.journal = "org", .resource = "artifact:art_2"}), (Seqs{3}));
  EXPECT_EQ(seqs({.journal = "org", .since = kStart + seconds(2), .until = kStart + seconds(4)}),
            (Seqs{3, 2}));
  EXPECT_EQ(seqs({.journal = "org", .since = kStart + seconds(9)}), (Seqs{}));
  EXPECT_EQ(seqs({.journal = "org", .until = kStart}), (Seqs{}));
  EXPECT_EQ(seqs({.journal = "other"}), (Seqs{}));
  const auto first = look([&](Tx& tx) { return audit(tx, {"org"}, {.limit = 2}).value(); });
  EXPECT_EQ(seqs({"org"}, {.limit = 2, .cursor = first.next_cursor}), (Seqs{3, 2}));
  EXPECT_FALSE(look([&](Tx& tx) { return audit(tx, {"org"}, {.cursor = "!!"}).ok(); }));
  EXPECT_FALSE(look([&](Tx& tx) { return audit(tx, {"org"}, {.limit = 201}).ok(); }));
  const auto leaves = [&](std::uint64_t begin, std::uint64_t end) {
    return look([&](Tx& tx) {
      std::vector<Hash256> out;
      each_leaf(tx, "org", begin, end, [&](const Hash256& leaf) { out.push_back(leaf); });
      return out;
    });
  };
  const std::vector<Hash256> all = leaves(0, 5);
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(leaves(2, 4), std::vector<Hash256>(all.begin() + 2, all.begin() + 4));
  EXPECT_EQ(look([&](Tx& tx) { return head(tx, "org"); })->size, 5u);
  EXPECT_FALSE(look([&](Tx& tx) { return head(tx, "other"); }).has_value());
  EXPECT_EQ(expect_intact(*store_), 5u);
}

// Whoever holds the connection: evidence does not change.
TEST_P(RowsTest, EvidenceRefusesToChange) {
  given_project();
  given_prompt("art_1", "a", "one");
  const auto attempt = [&](std::string_view sql) { return change([&](Tx& tx) { tx.database().exec(sql); }); };
  for (const std::string_view sql :
       {"UPDATE entries SET actor = 'usr_2'", "UPDATE entries SET hash = ''", "DELETE FROM entries",
        "DELETE FROM heads", "UPDATE contents SET content = 'x'", "DELETE FROM contents",
        "UPDATE versions SET digest = 'x'", "UPDATE versions SET author = 'x'", "DELETE FROM versions",
        "UPDATE protections SET rule = '{}'", "DELETE FROM protections"}) {
    const Status done = attempt(sql);
    ASSERT_FALSE(done.ok()) << sql;
    EXPECT_EQ(done.error().code, ErrorCode::conflict) << sql;
  }
  EXPECT_TRUE(attempt("UPDATE versions SET state = 'in_review'").ok());
  EXPECT_TRUE(attempt("UPDATE versions SET message = ''").ok());
  EXPECT_EQ(look([&](Tx& tx) { return version(tx, {"art_1"}, 1); })->author.text, "usr_1");
  EXPECT_GT(expect_intact(*store_), 0u);
}

IMPRIMATUR_ON_EVERY_BACKEND(RowsTest);

}  // namespace
}  // namespace imprimatur::store
