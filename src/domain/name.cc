#include "domain/name.h"

#include "base/check.h"
#include "base/utf8.h"
#include "domain/words.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/utf8.h>

namespace imprimatur {
namespace {

constexpr std::size_t kMaxShortNameBytes = 64;
constexpr std::size_t kMaxDisplayNameBytes = 200;

// ICU's own objects are immutable once made, and safe from any thread.
const icu::Normalizer2& checked_normalizer(const icu::Normalizer2* made, UErrorCode status) {
  CHECK(U_SUCCESS(status) && made != nullptr, "ICU has no normalisation data");
  return *made;
}

const icu::Normalizer2& nfc() {
  static const icu::Normalizer2& instance = []() -> const icu::Normalizer2& {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* made = icu::Normalizer2::getNFCInstance(status);
    return checked_normalizer(made, status);
  }();
  return instance;
}

// NFKC_Casefold: full case folding, compatibility forms, nothing invisible.
const icu::Normalizer2& case_folding() {
  static const icu::Normalizer2& instance = []() -> const icu::Normalizer2& {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Normalizer2* made = icu::Normalizer2::getNFKCCasefoldInstance(status);
    return checked_normalizer(made, status);
  }();
  return instance;
}

const USpoofChecker* spoof_checker() {
  static const std::unique_ptr<USpoofChecker, void (*)(USpoofChecker*)> instance = [] {
    UErrorCode status = U_ZERO_ERROR;
    USpoofChecker* made = uspoof_open(&status);
    CHECK(U_SUCCESS(status), "ICU has no confusables data");
    return std::unique_ptr<USpoofChecker, void (*)(USpoofChecker*)>(made, uspoof_close);
  }();
  return instance.get();
}

icu::UnicodeString unicode(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
}

std::string utf8(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

std::string code_point_name(UChar32 c) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, "U+%04X", static_cast<unsigned>(c));
  return buffer;
}

// Why a character may not stand in a name that people compare by eye, or nothing.
std::string_view objection(UChar32 c) {
  switch (u_charType(c)) {
    case U_CONTROL_CHAR: return "a control character";
    case U_FORMAT_CHAR: return "an invisible format character";
    case U_LINE_SEPARATOR:
    case U_PARAGRAPH_SEPARATOR: return "a line separator";
    case U_PRIVATE_USE_CHAR: return "a private-use character";
    case U_SURROGATE:
    case U_UNASSIGNED: return "an unassigned character";
    default: break;
  }
  if (u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT)) return "an invisible character";
  return {};
}

// What every name that people read has in common: size, UTF-8, NFC, no character that cannot be seen.
Status check_visible(std::string_view name, std::size_t max_bytes, std::string_view what) {
  const std::string subject(what);
  if (name.empty()) return invalid(subject + " is empty");
  if (name.size() > max_bytes) {
    return invalid(subject + " is over " + std::to_string(max_bytes) + " bytes");
  }
  if (first_invalid_utf8(name)) return invalid(subject + " is not UTF-8");
  const auto size = static_cast<int32_t>(name.size());
  for (int32_t at = 0; at < size;) {
    UChar32 c;
    U8_NEXT(name.data(), at, size, c);
    if (const std::string_view why = objection(c); !why.empty()) {
      return invalid(subject + " holds " + std::string(why) + " (" + code_point_name(c) + ")");
    }
  }
  UErrorCode status = U_ZERO_ERROR;
  const bool normal =
      nfc().isNormalizedUTF8(icu::StringPiece(name.data(), static_cast<int32_t>(name.size())), status);
  if (U_FAILURE(status) || !normal) {
    return invalid(subject + " is not in Unicode normalisation form C; compose its accents");
  }
  return Ok{};
}

bool space_at_an_end(std::string_view text) {
  const icu::UnicodeString wide = unicode(text);
  return u_isUWhiteSpace(wide.char32At(0)) || u_isUWhiteSpace(wide.char32At(wide.length() - 1));
}

bool is_short_name_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

Result<std::string> checked_artifact_name(std::string_view name) {
  TRY(check_visible(name, kMaxNameBytes, "the name"));
  if (const std::size_t bad = name.find_first_of("@?#\\"); bad != std::string_view::npos) {
    return invalid("the name holds '" + std::string(1, name[bad]) + "', which addresses use for themselves");
  }
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view segment = name.substr(begin, end - begin);
    if (segment.empty()) return invalid("the name has an empty folder; single '/' separate folders");
    if (segment == "." || segment == "..") return invalid("the name holds \"" + std::string(segment) + "\"");
    if (space_at_an_end(segment)) return invalid("the name has white space at the end of a folder");
    begin = end + 1;
  }
  return std::string(name);
}

Result<std::string> checked_short_name(std::string_view name) {
  const Error bad = invalid(
      "a short name is 1 to 64 of a-z and 0-9, with '-', '_' or '.' inside, for instance customer-care");
  if (name.empty() || name.size() > kMaxShortNameBytes) return bad;
  if (!is_short_name_letter(name.front()) || !is_short_name_letter(name.back())) return bad;
  for (const char c : name) {
    if (!is_short_name_letter(c) && c != '-' && c != '_' && c != '.') return bad;
  }
  return std::string(name);
}

Result<std::string> checked_display_name(std::string_view name) {
  TRY(check_visible(name, kMaxDisplayNameBytes, "the display name"));
  if (space_at_an_end(name)) return invalid("the display name has white space at an end");
  return std::string(name);
}

Result<std::string> checked_email(std::string_view email) {
  TRY(check_visible(email, kMaxEmailBytes, "the e-mail address"));
  const std::size_t at = email.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == email.size() ||
      email.find('@', at + 1) != std::string_view::npos) {
    return invalid("an e-mail address is a name, one '@' and a host");
  }
  const icu::UnicodeString wide = unicode(email);
  for (int32_t i = 0; i < wide.length(); i = wide.moveIndex32(i, 1)) {
    if (u_isUWhiteSpace(wide.char32At(i))) return invalid("the e-mail address holds white space");
  }
  std::string lower = utf8(icu::UnicodeString(wide).toLower(icu::Locale::getRoot()));
  if (lower.size() > kMaxEmailBytes) return invalid("the e-mail address is too long");
  return lower;
}

std::string skeleton_of(std::string_view name) {
  // Folding brings upper case, wide and ligature forms together. A skeleton may hold capital letters again
  // ("0" looks like "O"), so both steps are repeated until nothing changes. The bound is a guard; two rounds
  // are the rule.
  constexpr int kRounds = 8;
  UErrorCode status = U_ZERO_ERROR;
  icu::UnicodeString text = case_folding().normalize(unicode(name), status);
  for (int round = 0; round < kRounds; ++round) {
    icu::UnicodeString skeleton;
    uspoof_getSkeletonUnicodeString(spoof_checker(), 0, text, skeleton, &status);
    const icu::UnicodeString next = case_folding().normalize(skeleton, status);
    CHECK(U_SUCCESS(status), "ICU cannot make a skeleton");
    if (next == text) break;
    text = next;
  }
  return utf8(text);
}

std::string unicode_version() {
  UVersionInfo library, unicode;
  u_getVersion(library);
  u_getUnicodeVersion(unicode);
  char text[U_MAX_VERSION_STRING_LENGTH];
  u_versionToString(library, text);
  std::string out = std::string("ICU ") + text;
  u_versionToString(unicode, text);
  return out + ", Unicode " + text;
}

bool emails_look_alike(std::string_view a, std::string_view b) {
  const auto ascii = [](std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  };
  return a != b && !(ascii(a) && ascii(b)) && skeleton_of(a) == skeleton_of(b);
}

}  // namespace imprimatur
