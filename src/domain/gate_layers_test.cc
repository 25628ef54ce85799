#include "domain/gate.h"

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

// One prompt that includes a tone, for an environment that asks for nothing.
GateFacts including(const LockedVersion& locked) {
  GateFacts facts;
  facts.environment = {"env_p"};
  facts.now.version = 1;
  facts.items = {{.artifact = {"art_reply"}, .version = 2, .digest = "sha256:2", .locked = {locked}}};
  facts.items_digest = items_digest_of(facts.items);
  return facts;
}

const LockedVersion kApproved{{"art_tone"}, 4, "sha256:4", "reply > tone@1.3.0", ""};
const LockedVersion kDraft{{"art_tone"}, 4, "sha256:4", "reply > tone@1.3.0", "it is not approved"};

TEST(GateLayers, NothingIsSaidOfWhatIncludesNothing) {
  GateFacts facts = including(kApproved);
  facts.items[0].locked.clear();
  EXPECT_FALSE(layers_requirement(facts).has_value());
  EXPECT_TRUE(gate(facts).requirements.empty());
}

TEST(GateLayers, WhatMayBeLiveThereMayBeIncluded) {
  EXPECT_TRUE(gate(including(kApproved)).met);
  const auto said = layers_requirement(including(kApproved));
  EXPECT_EQ(said->kind, "layers");
  EXPECT_EQ(said->detail, "all that is included may be live there");
}

// Whatever the protection asks for.
TEST(GateLayers, WhatMayNotIsNamedWithItsPath) {
  const GateAnswer answer = gate(including(kDraft));
  EXPECT_FALSE(answer.met);
  EXPECT_FALSE(answer.unsatisfiable);
  EXPECT_EQ(answer.reasons(), std::vector<std::string>{"reply > tone@1.3.0: it is not approved"});
  GateFacts both = including(kDraft);
  both.items[0].locked.push_back({{"art_x"}, 1, "sha256:1", "reply > x@1.0.0", "it was retired"});
  both.items[0].locked.push_back(kApproved);
  EXPECT_EQ(
      gate(both).reasons(),
      std::vector<std::string>{"reply > tone@1.3.0: it is not approved; reply > x@1.0.0: it was retired"});
}

TEST(GateLayers, AChangeSetSatisfiesItselfWithThatVersionAndNoOther) {
  const auto beside = [](const GateItem& item) {
    GateFacts facts = including(kDraft);
    facts.items.push_back(item);
    facts.items_digest = items_digest_of(facts.items);
    return gate(facts).met;
  };
  EXPECT_TRUE(beside({.artifact = {"art_tone"}, .version = 4, .digest = "sha256:4"}));
  EXPECT_FALSE(beside({.artifact = {"art_tone"}, .version = 5, .digest = "sha256:4"}));
  EXPECT_FALSE(beside({.artifact = {"art_tone"}, .version = 4, .digest = "sha256:5"}));
  EXPECT_FALSE(beside({.artifact = {"art_other"}, .version = 4, .digest = "sha256:4"}));
}

TEST(GateLayers, AlteredContentIsNeverIncluded) {
  LockedVersion altered = kApproved;
  altered.intact = false;
  GateFacts facts = including(altered);
  facts.items.push_back({.artifact = {"art_tone"}, .version = 4, .digest = "sha256:4"});
  facts.items_digest = items_digest_of(facts.items);
  EXPECT_EQ(gate(facts).reasons(),
            std::vector<std::string>{
                "reply > tone@1.3.0: its stored content does not have the digest that the lock names"});
}

}  // namespace
}  // namespace imprimatur
