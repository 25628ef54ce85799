// Proofs as somebody outside checks them: from the answers alone.
#include "api/world.h"
#include "base/json.h"
#include "journal/entry.h"
#include "journal/merkle.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur::tests {
namespace {

namespace json = boost::json;

Hash256 hash_in(const json::value& text) {
  const std::string_view written = text.as_string();
  EXPECT_TRUE(written.starts_with("sha256:"));
  return hash_from_hex(written.substr(7)).value();
}

class Proofs : public testing::Test {
 protected:
  Proofs() {
    const json::value session =
        post("/api/v1/auth/login", {{"email", "admin@localhost"}, {"password", kAdminPassword}});
    token_ = session.at("token").as_string().c_str();
    for (int i = 0; i < 20; ++i) post("/api/v1/projects", {{"name", "p" + std::to_string(i)}});
  }

  json::value post(const std::string& target, const json::object& body) {
    Sent sent{"POST", target, {}, true, json::serialize(body)};
    if (!token_.empty()) sent.headers = {{"Authorization", "Bearer " + token_}};
    return parse_json(world_.send(sent).body).value();
  }
  json::value get(const std::string& target) {
    return parse_json(world_.send({"GET", target, {{"Authorization", "Bearer " + token_}}}).body).value();
  }

  World world_;
  std::string token_;
};

TEST_F(Proofs, EveryEntryIsProvedByTheAnswersAlone) {
  const json::value entries = get("/api/v1/audit-logs?limit=200");
  ASSERT_GT(entries.at("items").as_array().size(), 20u);
  const std::uint64_t size = entries.at("items").as_array().size();
  for (const json::value& item : entries.at("items").as_array()) {
    const std::int64_t seq = item.at("seq").as_int64();
    const json::value proof = get("/api/v1/audit-logs/proof?seq=" + std::to_string(seq));
    std::vector<Hash256> path;
    for (const json::value& hash : proof.at("path").as_array()) path.push_back(hash_in(hash));
    const json::value& checkpoint = proof.at("checkpoint");
    ASSERT_EQ(checkpoint.at("size").as_int64(), static_cast<std::int64_t>(size));
    const Hash256 leaf = hash_in(proof.at("leafHash")), root = hash_in(checkpoint.at("rootHash"));
    const auto index = static_cast<std::uint64_t>(seq - 1);
    EXPECT_TRUE(journal::verify_inclusion(leaf, index, size, path, root)) << seq;
    EXPECT_FALSE(journal::verify_inclusion(leaf, (index + 1) % size, size, path, root)) << seq;
    // The leaf is that of the entry that the log shows.
    EXPECT_EQ(leaf, journal::leaf_hash(bytes_of(hash_in(item.at("hash"))))) << seq;
  }
}

}  // namespace
}  // namespace imprimatur::tests
