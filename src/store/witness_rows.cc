#include "store/witness_rows.h"

#include "store/query.h"
#include "store/stored.h"

namespace imprimatur::store {
namespace {

constexpr std::string_view kWitness =
    "SELECT id, verifier_key, added_by, added_at, removed_at FROM witnesses";

Witness witness_in(const Row& row) {
  auto key = journal::note_key_from_text(row.text(1));
  if (!key.ok()) throw DataBroken("witness " + row.text(0) + " holds an unreadable key");
  return {{row.text(0)}, *std::move(key), {row.text(2)}, row.time(3), time_or_none(row, 4)};
}

}  // namespace

void insert_witness(Tx& tx, const Witness& witness) {
  tx.database().exec(
      "INSERT INTO witnesses (id, verifier_key, added_by, added_at, removed_at) VALUES (?, ?, ?, ?, 0)",
      witness.id, witness.key.text(), witness.added_by, witness.added_at);
}

void put_witness_removed(Tx& tx, const WitnessId& id, Time at) {
  tx.database().exec("UPDATE witnesses SET removed_at = ? WHERE id = ?", at, id);
}

std::optional<Witness> witness(Tx& tx, const WitnessId& id) {
  static const std::string sql = joined(kWitness, " WHERE id = ?");
  return tx.database().one(sql, witness_in, id);
}

std::vector<Witness> witnesses(Tx& tx) {
  static const std::string sql = joined(kWitness, " WHERE id > ? ORDER BY id");
  return tx.database().all(sql, witness_in, "");
}

void put_cosignature(Tx& tx, const Cosignature& cosignature) {
  tx.database().touch(
      "INSERT INTO cosignatures (journal, witness, size, root, signature) VALUES (?, ?, ?, ?, ?) ON CONFLICT "
      "(journal, witness) DO UPDATE SET size = excluded.size, root = excluded.root, signature = "
      "excluded.signature",
      cosignature.journal, cosignature.witness, cosignature.size, to_hex(cosignature.root),
      to_base64(cosignature.signature));
}

std::vector<Cosignature> cosignatures(Tx& tx, std::string_view journal) {
  return tx.database().all(
      "SELECT journal, witness, size, root, signature FROM cosignatures WHERE journal = ? ORDER BY witness",
      [](const Row& row) {
        const auto root = hash_from_hex(row.text(3));
        auto signature = from_base64(row.text(4));
        if (!root || !signature) throw DataBroken("a broken cosignature of journal " + row.text(0));
        return Cosignature{row.text(0),
                           {row.text(1)},
                           static_cast<std::uint64_t>(row.integer(2)),
                           *root,
                           *std::move(signature)};
      },
      journal);
}

}  // namespace imprimatur::store
