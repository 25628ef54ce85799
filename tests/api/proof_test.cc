// Proofs as somebody outside checks them: from the answers alone.
#include "api/talk.h"
#include "journal/entry.h"
#include "journal/merkle.h"

namespace imprimatur::tests {
namespace {

namespace json = boost::json;

Hash256 hash_in(const json::value& text) {
  const std::string_view written = text.as_string();
  EXPECT_TRUE(written.starts_with("sha256:"));
  return hash_from_hex(written.substr(7)).value();
}

class Proofs : public Talk {};

TEST_F(Proofs, EveryEntryIsProvedByTheAnswersAlone) {
  for (int i = 0; i < 20; ++i)
    done("POST", "/api/v1/projects", "admin", {{{"name", "p" + std::to_string(i)}}});
  const json::value log = done("GET", "/api/v1/audit-logs?limit=200", "admin");
  const json::array& entries = log.at("items").as_array();
  const std::uint64_t size = entries.size();
  ASSERT_GT(size, 20u);
  for (const json::value& item : entries) {
    const std::int64_t seq = item.at("seq").as_int64();
    const json::value proof = done("GET", "/api/v1/audit-logs/proof?seq=" + std::to_string(seq), "admin");
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

// More than one piece of the export, and all of it.
TEST_F(Proofs, TheExportIsEveryEntryAndTheCheckpoint) {
  const std::string id = text_of(done("POST", "/api/v1/projects", "admin", {{{"name", "shop"}}}), "id");
  json::array items;
  for (int i = 0; i < 500; ++i) {
    items.push_back(json::object{{"name", "p" + std::to_string(i)}, {"type", "text"}, {"content", "x"}});
  }
  done("POST", "/api/v1/prompts/batch?project=shop", "admin", {{{"items", std::move(items)}}});
  const std::string lines = ask("GET", "/api/v1/audit-logs/export?project=shop", "admin").text;
  const std::string table = ask("GET", "/api/v1/audit-logs/export?project=shop&format=csv", "admin").text;
  std::int64_t seq = 0;
  std::size_t at = 0, row = table.find("\r\n") + 2;
  std::string previous = "sha256:" + std::string(64, '0');
  for (std::size_t end; (end = lines.find('\n', at)) != std::string::npos; at = end + 1) {
    const json::value line = json::parse(lines.substr(at, end - at));
    if (line.as_object().contains("checkpoint")) {
      EXPECT_EQ(line.at("checkpoint").at("size").as_int64(), seq);
      EXPECT_EQ(end + 1, lines.size());
      break;
    }
    ASSERT_EQ(line.at("seq").as_int64(), ++seq);
    ASSERT_EQ(text_of(line, "previousHash"), previous);
    previous = text_of(line, "hash");
    const std::size_t row_end = table.find("\r\n", row);
    const std::string columns = table.substr(row, row_end - row);
    EXPECT_TRUE(columns.starts_with("\"" + id + "\"," + std::to_string(seq) + ",")) << columns;
    EXPECT_TRUE(columns.ends_with("," + previous)) << columns;
    row = row_end + 2;
  }
  EXPECT_GT(seq, 1000);
  EXPECT_EQ(row, table.size());
}

}  // namespace
}  // namespace imprimatur::tests
