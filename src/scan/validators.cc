#include "scan/validators.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace imprimatur::scan {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c); }
bool is_alnum(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }

std::string digits_of(std::string_view text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), is_digit);
  return digits;
}

// The share of characters that follow their predecessor by one, or repeat it.
double monotony(std::string_view text) {
  if (text.size() < 2) return 0;
  std::size_t steps = 0;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const int step = text[i] - text[i - 1];
    steps += step == 1 || step == 0 || (text[i - 1] == '9' && text[i] == '0') ? 1 : 0;
  }
  return static_cast<double>(steps) / static_cast<double>(text.size() - 1);
}

bool not_placeholder(std::string_view text) { return !is_placeholder(text); }

// Numbers that payment processors publish for tests; they pass Luhn and belong to nobody.
bool is_test_card(const std::string& digits) {
  static constexpr std::array<std::string_view, 16> kTestCards = {
      "4111111111111111", "4242424242424242", "4012888888881881", "4222222222222",
      "5555555555554444", "5105105105105100", "378282246310005",  "371449635398431",
      "6011111111111117", "6011000990139424", "30569309025904",   "38520000023237",
      "3530111333300000", "3566002020360505", "4000056655665556", "2223003122003222"};
  return std::find(kTestCards.begin(), kTestCards.end(), digits) != kTestCards.end();
}

bool live_card(std::string_view text) {
  const std::string digits = digits_of(text);
  if (digits.size() < 13 || digits.size() > 19 || is_test_card(digits)) return false;
  // Issuer ranges in use: without them every ninth random number is a card.
  const int two = (digits[0] - '0') * 10 + (digits[1] - '0');
  const bool issued = digits[0] == '4' || (two >= 51 && two <= 55) || (two >= 22 && two <= 27) || two == 34 ||
                      two == 37 || two == 36 || two == 38 || two == 30 || two == 35 || two == 60 ||
                      two == 62 || two == 64 || two == 65 || two == 50 || (two >= 56 && two <= 58) ||
                      two == 67 || two == 63;
  return issued && luhn_valid(text) && entropy(digits) > 1.5;
}

bool phone_plausible(std::string_view text) {
  const std::string digits = digits_of(text);
  if (digits.size() < 10 || digits.size() > 15) return false;
  if (monotony(digits) > 0.7) return false;
  return digits.find("555010") == std::string::npos && digits.find("55501") == std::string::npos;
}

bool email_of_somebody(std::string_view text) {
  static constexpr std::array<std::string_view, 12> kNobody = {
      "example.com", "example.org", "example.net", "domain.com", "email.com", "test.com",
      "company.com", "yourdomain",  ".example",    "acme.",      "noreply@",  "git@"};
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), lower);
  return std::none_of(kNobody.begin(), kNobody.end(), [&folded](std::string_view nobody) {
    return folded.find(nobody) != std::string::npos;
  });
}

bool mixed_characters(std::string_view text) {
  const bool digit = std::any_of(text.begin(), text.end(), is_digit);
  const bool letter =
      std::any_of(text.begin(), text.end(), [](char c) { return is_alnum(c) && !is_digit(c); });
  return digit && letter;
}

template <int Tenths>
bool entropy_at_least(std::string_view text) {
  return entropy(text) * 10 >= Tenths;
}

struct Named {
  std::string_view name;
  Validator validator;
};
constexpr std::array kValidators = {
    Named{"luhn", luhn_valid},
    Named{"live_card", live_card},
    Named{"iban", iban_valid},
    Named{"ssn", ssn_plausible},
    Named{"phone", phone_plausible},
    Named{"email", email_of_somebody},
    Named{"not_placeholder", not_placeholder},
    Named{"mixed_characters", mixed_characters},
    Named{"entropy_2_5", entropy_at_least<25>},
    Named{"entropy_3_0", entropy_at_least<30>},
    Named{"entropy_3_5", entropy_at_least<35>},
    Named{"entropy_4_0", entropy_at_least<40>},
};

}  // namespace

Validator validator_named(std::string_view name) {
  for (const Named& named : kValidators)
    if (named.name == name) return named.validator;
  return nullptr;
}

double entropy(std::string_view text) {
  if (text.empty()) return 0;
  std::array<std::size_t, 256> counts{};
  for (const char c : text) ++counts[static_cast<unsigned char>(c)];
  double bits = 0;
  const auto size = static_cast<double>(text.size());
  for (const std::size_t count : counts)
    if (count != 0) bits -= static_cast<double>(count) / size * std::log2(static_cast<double>(count) / size);
  return bits;
}

bool is_placeholder(std::string_view text) {
  static constexpr std::array<std::string_view, 30> kWords = {
      "example",  "your",    "placeholder", "redacted", "dummy",   "sample",      "changeme",  "change_me",
      "xxxx",     "replace", "insert",      "todo",     "fake",    "...",         "****",      "test_key",
      "testtest", "<",       "{{",          "${",       "secret_", "password",    "goes-here", "goes_here",
      "my-key",   "my_key",  "0000000",     "1111111",  "aaaaaaa", "\xE2\x80\xA6"};
  std::string folded(text);
  std::transform(folded.begin(), folded.end(), folded.begin(), lower);
  for (const std::string_view word : kWords)
    if (folded.find(word) != std::string::npos) return true;
  return monotony(folded) > 0.6;
}

bool luhn_valid(std::string_view text) {
  const std::string digits = digits_of(text);
  if (digits.size() < 2) return false;
  int sum = 0;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    int digit = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

bool iban_valid(std::string_view text) {
  std::string iban;
  for (const char c : text)
    if (is_alnum(c)) iban.push_back(lower(c));
  if (iban.size() < 15 || iban.size() > 34) return false;
  if (is_digit(iban[0]) || is_digit(iban[1]) || !is_digit(iban[2]) || !is_digit(iban[3])) return false;
  struct Length {
    char country[3];
    std::size_t length;
  };
  static constexpr std::array kLengths = {
      Length{"at", 20}, Length{"be", 16}, Length{"bg", 22}, Length{"ch", 21}, Length{"cy", 28},
      Length{"cz", 24}, Length{"de", 22}, Length{"dk", 18}, Length{"ee", 20}, Length{"es", 24},
      Length{"fi", 18}, Length{"fr", 27}, Length{"gb", 22}, Length{"gr", 27}, Length{"hr", 21},
      Length{"hu", 28}, Length{"ie", 22}, Length{"il", 23}, Length{"is", 26}, Length{"it", 27},
      Length{"li", 21}, Length{"lt", 20}, Length{"lu", 20}, Length{"lv", 21}, Length{"mc", 27},
      Length{"mt", 31}, Length{"nl", 18}, Length{"no", 15}, Length{"pl", 28}, Length{"pt", 25},
      Length{"ro", 24}, Length{"sa", 24}, Length{"se", 24}, Length{"si", 19}, Length{"sk", 24},
      Length{"sm", 27}, Length{"tr", 26}, Length{"ua", 29}, Length{"ae", 23}, Length{"br", 29},
      Length{"kw", 30}, Length{"qa", 29}};
  const auto* known = std::find_if(kLengths.begin(), kLengths.end(), [&iban](const Length& entry) {
    return iban.compare(0, 2, entry.country) == 0;
  });
  if (known != kLengths.end() && known->length != iban.size()) return false;
  int remainder = 0;
  for (std::size_t i = 0; i < iban.size(); ++i) {
    const char c = iban[(i + 4) % iban.size()];
    remainder = is_digit(c) ? (remainder * 10 + (c - '0')) % 97 : (remainder * 100 + (c - 'a' + 10)) % 97;
  }
  return remainder == 1;
}

bool ssn_plausible(std::string_view text) {
  const std::string digits = digits_of(text);
  if (digits.size() != 9) return false;
  const std::string area = digits.substr(0, 3);
  if (area == "000" || area == "666" || area[0] == '9') return false;
  if (digits.substr(3, 2) == "00" || digits.substr(5) == "0000") return false;
  // Printed in advertisements and in every tutorial.
  return digits != "078051120" && digits != "219099999" && digits != "123456789" && monotony(digits) < 0.7;
}

}  // namespace imprimatur::scan
