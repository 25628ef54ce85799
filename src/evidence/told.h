// Entries of a journal with their details read, and what stands beside them, compared.
#pragma once

#include "journal/entry.h"
#include "store/store.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>

namespace imprimatur::evidence {

struct Told {
  journal::Entry entry;
  boost::json::object details;
  // Members of the details: empty and 0 for null and for what is not there.
  std::string text(std::string_view name) const;
  std::int64_t number(std::string_view name) const;
};

// Throws DataBroken when the entry is not what its hash says.
Told told(journal::Entry entry);
// Every entry about the resource up to `last`, oldest first.
std::vector<Told> told_about(store::Tx& tx, const std::string& journal, const std::string& resource,
                             std::uint64_t last);

// {"commitment","salt","text"}: what somebody wrote. Salt and text are null where they were erased, and where
// the reader may not see them. Throws DataBroken when the text is not the one of the commitment.
boost::json::object words(const std::string& commitment, const std::string& salt, const std::string& text,
                          bool visible);
// {"displayName","id"}, with the name as it is known now: null for whoever was erased, and for whoever never
// had one. Nothing compares the name with a journal, so that it stands in nothing that is signed.
boost::json::object actor(store::Tx& tx, const std::string& id);
// The first entry of `action` about the resource up to `last`, when it has the digest of this very name.
// Throws DataBroken when it has not.
Told naming(store::Tx& tx, const std::string& journal, const std::string& resource, std::string_view action,
            const std::string& name, std::uint64_t last);
// Throws DataBroken unless `digest` is the SHA-256 of the text.
void require_digest(const std::string& digest, std::string_view text, const std::string& of);
// What this program wrote itself, as a value. Throws DataBroken where it is no object.
boost::json::object stored_object(std::string_view text, const std::string& of);

}  // namespace imprimatur::evidence
