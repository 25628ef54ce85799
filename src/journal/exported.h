// The form of an audit export that can be checked without a server: JSON Lines of entries, signed heads and
// the rows that the journals account for. It holds ids and digests only.
#pragma once

#include "base/result.h"
#include "journal/verifier.h"

#include <istream>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::journal {

inline constexpr std::size_t kMaxExportLine = 1024 * 1024;
inline constexpr std::string_view kExportFormat = "imprimatur-export-v1";

// One line each, without the line feed: an entry is exported_entry.
std::string export_header();
std::string export_line(const SignedHead& head);
std::string export_line(std::string_view journal, std::string_view key, const RowText& row);

// Chain, tree, signature, replay, the rows where there are any, and what is trusted. An error when it is no
// export or cannot be read.
Result<Verification> verify_export(std::istream& file, const Trusted& trusted);

}  // namespace imprimatur::journal
