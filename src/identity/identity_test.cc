#include "identity/office_for_test.h"
#include "identity/throttle.h"

#include <atomic>
#include <set>
#include <thread>

#include <gtest/gtest.h>

namespace imprimatur::identity {
namespace {

Duration shorter(Duration whole, Duration by) { return {whole.micros - by.micros}; }

struct IdentityTest : testing::TestWithParam<store::Backend> {
  ErrorCode login_code(std::string_view email, std::string_view password) {
    const auto in = office.identity->login(email, password);
    return in.ok() ? ErrorCode::invalid : in.error().code;
  }
  bool known(const std::string& token) { return office.identity->authenticate(token).ok(); }
  User user_of(const Principal& who) {
    const auto read = office.store->read(
        [&](store::Tx& tx) -> Result<std::optional<User>> { return store::user(tx, who.id); });
    return read.value().value();
  }
  Office office{GetParam()};
};

TEST_P(IdentityTest, TheFirstAdminIsMadeOnceAndAGivenPasswordIsNotTold) {
  EXPECT_TRUE(office.admin.organisation_admin);
  const auto again = office.identity->bootstrap("another password", "sha256:x");
  ASSERT_TRUE(again.ok());
  EXPECT_TRUE(again->empty());
  EXPECT_EQ(login_code(kFirstAdmin, "another password"), ErrorCode::unauthenticated);
  EXPECT_EQ(office.journal(journal::kOrganisation).front().event.action, "organisation.created");
  EXPECT_EQ(office.faults(), "");
}

TEST_P(IdentityTest, PasswordsHaveALength) {
  EXPECT_FALSE(check_new_password("p", "1234567").ok());
  EXPECT_TRUE(check_new_password("p", "1234567890").ok());
  EXPECT_FALSE(check_new_password("p", "äöüäöüä").ok()) << "characters count, not bytes";
  EXPECT_TRUE(check_new_password("p", std::string(kMaxPasswordBytes, 'x')).ok());
  EXPECT_FALSE(check_new_password("p", std::string(kMaxPasswordBytes + 1, 'x')).ok());
}

TEST_P(IdentityTest, OnlyOrganisationAdminsAddPeople) {
  const Principal ann = office.person("ann");
  const NewUser bob{.email = "bob@example.com", .display_name = "Bob", .password = std::string(kPassword)};
  EXPECT_EQ(office.identity->create_user({ann}, bob).error().code, ErrorCode::forbidden);
  EXPECT_EQ(office.identity->users(ann, {}).error().code, ErrorCode::forbidden);
  // A claim in the principal is not enough: the row decides.
  Principal liar = ann;
  liar.organisation_admin = true;
  EXPECT_EQ(office.identity->create_user({liar}, bob).error().code, ErrorCode::forbidden);
  EXPECT_TRUE(office.identity->create_user({office.admin}, bob).ok());
  EXPECT_EQ(office.identity->create_user({office.admin}, bob).error().code, ErrorCode::conflict);
  NewUser shouting = bob;
  shouting.email = "BOB@Example.COM";
  EXPECT_EQ(office.identity->create_user({office.admin}, shouting).error().code, ErrorCode::conflict);
  EXPECT_EQ(office.faults(), "");
}

TEST_P(IdentityTest, UnknownWrongAndDisabledAnswerAlikeAfterTheSameWork) {
  const Principal ann = office.person("ann");
  const Principal ben = office.person("ben");
  ASSERT_TRUE(office.identity->change_user({office.admin}, ben.id, {.disabled = true}).ok());
  const auto& passwords = office.identity->passwords();

  const auto before = passwords.verified();
  const auto before_nobody = passwords.verified_nobody();
  const Error wrong = office.identity->login("ann@example.com", "wrong password").error();
  const Error disabled = office.identity->login("ben@example.com", kPassword).error();
  EXPECT_EQ(passwords.verified(), before + 2);
  EXPECT_EQ(passwords.verified_nobody(), before_nobody);
  const Error unknown = office.identity->login("nobody@example.com", "wrong password").error();
  const Error no_address = office.identity->login("not an address", "wrong password").error();
  EXPECT_EQ(passwords.verified(), before + 2);
  EXPECT_EQ(passwords.verified_nobody(), before_nobody + 2);
  for (const Error& one : {disabled, unknown, no_address}) {
    EXPECT_EQ(one.code, ErrorCode::unauthenticated);
    EXPECT_EQ(one.detail, wrong.detail);
    EXPECT_EQ(one.reasons, wrong.reasons);
  }
  EXPECT_EQ(office.count("login.failed"), 3) << "the second with an e-mail that nobody has is told later";
}

TEST_P(IdentityTest, ACrowdOfUnknownEmailsFillsNoJournal) {
  const auto told = [&] {
    std::vector<std::string> out;
    for (const auto& entry : office.journal(journal::kOrganisation)) {
      if (entry.event.action == "login.failed") out.push_back(entry.event.details);
    }
    return out;
  };
  const auto guess = [&](int i) {
    return login_code("nobody" + std::to_string(i) + "@example.com", "wrong");
  };
  for (int i = 0; i < 30; ++i) ASSERT_EQ(guess(i), ErrorCode::unauthenticated);
  ASSERT_TRUE(office.identity->upkeep().ok());
  ASSERT_EQ(told().size(), 1u);
  EXPECT_EQ(told()[0], R"({"attempts":1,"reason":"unknown","user":null})");
  office.clock.advance(kUnknownReportedEvery);
  ASSERT_TRUE(office.identity->upkeep().ok());
  ASSERT_TRUE(office.identity->upkeep().ok());
  ASSERT_EQ(told().size(), 2u);
  EXPECT_EQ(told()[1], R"({"attempts":29,"reason":"unknown","user":null})");
  office.clock.advance(kUnknownReportedEvery);
  guess(99);
  EXPECT_EQ(told().size(), 3u);
  EXPECT_EQ(office.faults(), "");
}

TEST_P(IdentityTest, APersonHasAtMostSoManySessions) {
  const Principal ann = office.person("ann");  // which opens the first
  std::vector<std::string> tokens;
  for (int i = 0; i < kMaxSessions; ++i) {
    office.clock.advance(seconds(1));
    tokens.push_back(office.token("ann@example.com"));
  }
  EXPECT_TRUE(known(tokens.front()));
  const int closed = office.count("session.closed");
  EXPECT_EQ(closed, 1) << "the one of person()";
  tokens.push_back(office.token("ann@example.com"));
  EXPECT_FALSE(known(tokens[0])) << "the oldest ended, for the next request";
  EXPECT_TRUE(known(tokens[1]));
  EXPECT_TRUE(known(tokens.back()));
  EXPECT_EQ(office.count("session.closed"), closed + 1);
  EXPECT_EQ(office.faults(), "");
}

TEST_P(IdentityTest, AClockThatWasSetBackMakesNobodyWaitLonger) {
  office.person("ann");
  for (int i = 0; i < kFreeFailures; ++i) login_code("ann@example.com", "wrong password");
  office.clock.set(Time{office.clock.now().micros - days(30).micros});
  EXPECT_EQ(office.identity->login("ann@example.com", kPassword).error().retry_after_seconds, 2);
  office.clock.advance(kFirstDelay);
  EXPECT_TRUE(office.identity->login("ann@example.com", kPassword).ok());
}

TEST_P(IdentityTest, OnlyFailuresAreThrottledEachAccountByItself) {
  office.person("ann");
  office.person("ben");
  const std::string open = office.token("ann@example.com");
  for (int i = 0; i < 3 * kFreeFailures; ++i) office.token("ben@example.com");  // successes never count
  for (const std::string email : {"ann@example.com", "nobody@example.com"}) {
    for (int i = 0; i < kFreeFailures; ++i)
      EXPECT_EQ(login_code(email, "wrong password"), ErrorCode::unauthenticated) << email << i;
    const Error throttled = office.identity->login(email, kPassword).error();
    EXPECT_EQ(throttled.code, ErrorCode::rate_limited) << "even a right password waits";
    EXPECT_EQ(throttled.retry_after_seconds, 2);
  }
  EXPECT_EQ(office.count("login.failed"), kFreeFailures + 1)
      << "a throttled attempt is no entry, and those with the unknown e-mail are told together";
  EXPECT_TRUE(known(open)) << "an open session is not touched";
  EXPECT_TRUE(office.identity->login("ben@example.com", kPassword).ok()) << "nor is another account";
  office.clock.advance(kFirstDelay);
  EXPECT_EQ(login_code("ann@example.com", "wrong password"), ErrorCode::unauthenticated);
  EXPECT_EQ(office.identity->login("ann@example.com", kPassword).error().retry_after_seconds, 4)
      << "it doubles";
  office.clock.advance(seconds(4));
  EXPECT_TRUE(office.identity->login("ann@example.com", kPassword).ok());
  EXPECT_EQ(login_code("ann@example.com", "wrong password"), ErrorCode::unauthenticated)
      << "a success clears";
}

TEST_P(IdentityTest, TheDelayIsBoundedAndForgotten) {
  store::FailedLogins failed;
  const Time now{1'800'000'000'000'000};
  for (int i = 0; i < 1000; ++i) failed = failed_again(failed, now);
  EXPECT_EQ(may_attempt(failed, now).error().retry_after_seconds, kLongestDelay.micros / 1'000'000);
  EXPECT_TRUE(may_attempt(failed, now + kLongestDelay).ok());
  EXPECT_EQ(failed_again(failed, now + kFailuresForgotten).count, 1);
}

TEST_P(IdentityTest, AttemptsAtTheSameTimeCountEach) {
  office.person("ann");
  std::vector<std::thread> crowd;
  std::atomic<int> refused{0}, throttled{0}, busy{0};
  for (int i = 0; i < 2 * kFreeFailures; ++i) {
    crowd.emplace_back([&] {
      const ErrorCode code = login_code("ann@example.com", "wrong password");
      if (code == ErrorCode::unauthenticated) ++refused;
      if (code == ErrorCode::rate_limited) ++throttled;
      if (code == ErrorCode::unavailable) ++busy;
    });
  }
  for (std::thread& one : crowd) one.join();
  EXPECT_EQ(refused + throttled + busy, 2 * kFreeFailures);
  EXPECT_LE(refused, kFreeFailures + kConcurrentHashes - 1);
}

TEST_P(IdentityTest, SessionsEndByThemselves) {
  office.person("ann");
  const std::string token = office.token("ann@example.com");
  for (int hour = 0; hour < 23; hour += 1) {
    office.clock.advance(hours(1));
    ASSERT_TRUE(known(token)) << "in use, hour " << hour;
  }
  office.clock.advance(hours(1));
  office.clock.advance(seconds(1));
  EXPECT_FALSE(known(token)) << "the absolute end";
  const std::string idle = office.token("ann@example.com");
  office.clock.advance(shorter(kSessionIdle, seconds(1)));
  EXPECT_TRUE(known(idle));
  office.clock.advance(kSessionIdle);
  EXPECT_FALSE(known(idle));
}

TEST_P(IdentityTest, UseIsStoredAndSurvivesARestart) {
  office.person("ann");
  const std::string token = office.token("ann@example.com");
  office.clock.advance(shorter(kSessionIdle, hours(1)));
  ASSERT_TRUE(known(token));
  ASSERT_TRUE(office.identity->upkeep().ok());
  office.close();
  office.open();
  office.clock.advance(shorter(kSessionIdle, hours(1)));
  EXPECT_TRUE(known(token));
}

TEST_P(IdentityTest, LogoutDisablingAndANewPasswordEndSessionsForTheNextRequest) {
  const Principal ann = office.person("ann");
  std::string token = office.token("ann@example.com");
  std::string other = office.token("ann@example.com");
  ASSERT_TRUE(known(token) && known(other));
  ASSERT_TRUE(office.identity->logout(*office.identity->authenticate(token)).ok());
  EXPECT_FALSE(known(token));
  EXPECT_TRUE(known(other));

  token = office.token("ann@example.com");
  const Principal in = *office.identity->authenticate(token);
  ASSERT_TRUE(office.identity->change_password(in, kPassword, "quite another one").ok());
  EXPECT_TRUE(known(token)) << "the session that did it stays";
  EXPECT_FALSE(known(other));
  EXPECT_EQ(login_code("ann@example.com", kPassword), ErrorCode::unauthenticated);

  ASSERT_TRUE(office.identity->change_user({office.admin}, ann.id, {.disabled = true}).ok());
  EXPECT_FALSE(known(token));
  ASSERT_TRUE(office.identity->change_user({office.admin}, ann.id, {.disabled = false}).ok());
  EXPECT_FALSE(known(token)) << "enabling does not bring a session back";
  EXPECT_TRUE(office.identity->login("ann@example.com", "quite another one").ok());
  EXPECT_EQ(office.faults(), "");
}

TEST_P(IdentityTest, ASessionEndsOnceHoweverManyRequestsEndIt) {
  office.person("ann");
  const std::string token = office.token("ann@example.com");
  const Principal in = *office.identity->authenticate(token);
  std::vector<std::thread> six;
  std::atomic<int> done = 0;
  for (int i = 0; i < 6; ++i) six.emplace_back([&] { done += office.identity->logout(in).ok(); });
  for (std::thread& one : six) one.join();
  EXPECT_EQ(done, 6);
  EXPECT_FALSE(known(token));
  EXPECT_EQ(office.count("session.closed"), 1);
  EXPECT_EQ(office.faults(), "");
}

TEST_P(IdentityTest, AResetEndsEverySessionAndOpensAThrottledAccount) {
  const Principal ann = office.person("ann");
  const std::string token = office.token("ann@example.com");
  for (int i = 0; i < kFreeFailures; ++i) (void)office.identity->login("ann@example.com", "wrong password");
  EXPECT_EQ(office.identity->reset_password({ann}, ann.id, "quite another one").error().code,
            ErrorCode::forbidden);
  ASSERT_TRUE(office.identity->reset_password({office.admin}, ann.id, "quite another one").ok());
  EXPECT_FALSE(known(token));
  EXPECT_TRUE(office.identity->login("ann@example.com", "quite another one").ok());
  EXPECT_EQ(office.identity->reset_password({office.admin}, {"usr_none"}, "quite another one").error().code,
            ErrorCode::not_found);
}

TEST_P(IdentityTest, GuessesAtTheOldPasswordAreThrottledApartFromSignIns) {
  const Principal ann = office.person("ann");
  for (int i = 0; i < kFreeFailures; ++i)
    EXPECT_EQ(office.identity->change_password(ann, "wrong password", "quite another one").error().code,
              ErrorCode::forbidden);
  EXPECT_EQ(office.identity->change_password(ann, kPassword, "quite another one").error().code,
            ErrorCode::rate_limited);
  EXPECT_TRUE(office.identity->login("ann@example.com", kPassword).ok());
}

TEST_P(IdentityTest, AnotherProcessesRevocationIsHeardThroughItsEntries) {
  const Principal ann = office.person("ann");
  const std::string token = office.token("ann@example.com");
  ASSERT_TRUE(known(token));
  // A second server on the same database, which hears of commits as of its own.
  Identity second(*office.store, office.clock, std::string(kServerSecret), least_cost());
  ASSERT_TRUE(second.start().ok());
  ASSERT_TRUE(second.authenticate(token).ok());
  ASSERT_TRUE(office.identity->logout(*office.identity->authenticate(token)).ok());
  second.on_entries({office.journal(journal::kOrganisation).back()});
  EXPECT_FALSE(second.authenticate(token).ok());
}

TEST_P(IdentityTest, SomebodyStaysOrganisationAdmin) {
  const Principal ann = office.person("ann");
  const auto code = [&](const Principal& by, const PrincipalId& whom, UserChange change) {
    const auto done = office.identity->change_user({by}, whom, change);
    return done.ok() ? ErrorCode::invalid : done.error().code;
  };
  EXPECT_EQ(code(office.admin, office.admin.id, {.disabled = true}), ErrorCode::conflict);
  EXPECT_EQ(code(office.admin, office.admin.id, {.organisation_admin = false}), ErrorCode::conflict);
  ASSERT_TRUE(office.identity->change_user({office.admin}, ann.id, {.organisation_admin = true}).ok());
  EXPECT_EQ(code(office.admin, office.admin.id, {.organisation_admin = false}), ErrorCode::conflict)
      << "nobody demotes themselves";
  ASSERT_TRUE(office.identity->change_user({ann}, office.admin.id, {.organisation_admin = false}).ok());
  EXPECT_EQ(code(office.admin, ann.id, {.disabled = true}), ErrorCode::forbidden) << "lost at once";
  EXPECT_EQ(office.faults(), "");
}

TEST_P(IdentityTest, TwoAdminsWhoDisableEachOtherLeaveOne) {
  const Principal ann = office.person("ann");
  ASSERT_TRUE(office.identity->change_user({office.admin}, ann.id, {.organisation_admin = true}).ok());
  std::atomic<int> done{0};
  std::thread one(
      [&] { done += office.identity->change_user({ann}, office.admin.id, {.disabled = true}).ok(); });
  std::thread two(
      [&] { done += office.identity->change_user({office.admin}, ann.id, {.disabled = true}).ok(); });
  one.join();
  two.join();
  EXPECT_EQ(done, 1);
}

TEST_P(IdentityTest, TokensAreHashedAndTheJournalHoldsNoAddress) {
  office.person("ann");
  const std::string token = office.token("ann@example.com");
  EXPECT_TRUE(looks_like_session_token(token));
  const auto row = office.store->read([&](store::Tx& tx) -> Result<std::optional<Session>> {
    return store::session_by_hash(tx, office.identity->seals().of_session(token));
  });
  ASSERT_TRUE(row.ok() && row->has_value());
  EXPECT_EQ((*row)->hash.find(token.substr(4)), std::string::npos);
  for (const journal::Entry& entry : office.journal(journal::kOrganisation)) {
    EXPECT_EQ(entry.event.details.find('@'), std::string::npos) << entry.event.details;
    EXPECT_EQ(entry.event.details.find(token), std::string::npos);
  }
}

TEST_P(IdentityTest, StrangeCredentialsAreNobody) {
  const std::string token = office.token(kFirstAdmin, kAdminPassword);
  for (const std::string& bad :
       {std::string(), std::string("ims_"), token + "x", token.substr(0, token.size() - 1),
        "imp_" + token.substr(4), std::string(600, 'a'), new_session_token(), new_api_key(),
        std::string("ims_\0", 5) + token.substr(5)}) {
    const auto who = office.identity->authenticate(bad);
    ASSERT_FALSE(who.ok()) << bad;
    EXPECT_EQ(who.error().code, ErrorCode::unauthenticated);
  }
}

TEST_P(IdentityTest, ACsrfTokenFitsOneSession) {
  const auto one = office.identity->login(kFirstAdmin, kAdminPassword);
  const auto two = office.identity->login(kFirstAdmin, kAdminPassword);
  EXPECT_TRUE(office.identity->check_csrf(one->token, one->csrf).ok());
  EXPECT_EQ(office.identity->check_csrf(one->token, two->csrf).error().code, ErrorCode::forbidden);
  EXPECT_FALSE(office.identity->check_csrf(one->token, "").ok());
}

TEST_P(IdentityTest, HashingWaitsInABoundedQueue) {
  PasswordHasher hasher(least_cost());
  std::vector<PasswordHasher::Turn> held;
  for (int i = 0; i < kConcurrentHashes; ++i) held.push_back(hasher.turn().value());
  std::atomic<int> refused{0}, served{0};
  std::vector<std::thread> crowd;
  for (int i = 0; i < kWaitingHashes + 3; ++i) {
    crowd.emplace_back([&] {
      const auto turn = hasher.turn();
      turn.ok() ? ++served : ++refused;
      EXPECT_TRUE(turn.ok() || turn.error().code == ErrorCode::unavailable);
    });
  }
  while (refused < 3) std::this_thread::yield();
  held.clear();
  for (std::thread& one : crowd) one.join();
  EXPECT_EQ(refused, 3);
  EXPECT_EQ(served, kWaitingHashes);
}

TEST_P(IdentityTest, ARepeatedCreationHappensOnce) {
  store::Command asked{office.admin, "key-1", "hash-1"};
  const NewUser wanted{.email = "ann@example.com", .display_name = "Ann", .password = std::string(kPassword)};
  const auto first = office.identity->create_user(asked, wanted);
  const auto again = office.identity->create_user(asked, wanted);
  ASSERT_TRUE(first.ok() && again.ok());
  EXPECT_EQ(first->id, again->id);
  asked.request_hash = "hash-2";
  EXPECT_EQ(office.identity->create_user(asked, wanted).error().code, ErrorCode::conflict);
  // It is authorised anew: what the principal lost since, a repetition does not give back.
  const Principal ann = office.sign_in("ann@example.com");
  ASSERT_TRUE(office.identity->change_user({office.admin}, ann.id, {.organisation_admin = true}).ok());
  ASSERT_TRUE(office.identity->change_user({ann}, office.admin.id, {.organisation_admin = false}).ok());
  asked.request_hash = "hash-1";
  EXPECT_EQ(office.identity->create_user(asked, wanted).error().code, ErrorCode::forbidden);
  EXPECT_EQ(office.faults(), "");
}

TEST_P(IdentityTest, AKeyOfIdempotencyIsForgottenAfterADay) {
  const store::Command asked{office.admin, "key-1", "hash-1"};
  ASSERT_TRUE(office.projects->create(asked, "shop", "").ok());
  ASSERT_TRUE(office.projects->create(asked, "shop", "").ok());
  office.clock.advance(Duration{store::kIdempotencyKept.micros + seconds(1).micros});
  EXPECT_EQ(office.projects->create(asked, "shop", "").error().code, ErrorCode::conflict)
      << "the name is taken";
}

IMPRIMATUR_ON_INSTALLED_BACKENDS(IdentityTest);

}  // namespace
}  // namespace imprimatur::identity
