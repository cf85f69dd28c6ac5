#include "policy/tls_report_record.h"

#include <algorithm>

#include "policy/ascii.h"
#include "policy/record_fields.h"

namespace waxwing {
namespace {

constexpr std::string_view kVersion = "v=TLSRPTv1";
constexpr std::string_view kWsp = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kWsp);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kWsp) + 1 - begin);
}

bool is_hex_digit(char c) {
  return is_ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

// Unreserved and reserved characters of RFC 3986 §2.2 and §2.3, except "!", "," and ";", which RFC 8460 §3 wants
// encoded.
bool is_uri_character(char c) {
  return is_ascii_alnum(c) || std::string_view("-._~:/?#[]@$&'()*+=").find(c) != std::string_view::npos;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_ascii_alpha(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_ascii_alnum(c) || c == '+' || c == '-' || c == '.'; });
}

// Characters and percent-encoding only: the parts of a URI are read by who reports to it.
bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || !is_scheme(text.substr(0, colon))) return false;
  for (std::size_t i = colon + 1; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size() || !is_hex_digit(text[i + 1]) || !is_hex_digit(text[i + 2])) return false;
      i += 2;
    } else if (!is_uri_character(text[i])) {
      return false;
    }
  }
  return true;
}

TlsReportUri::Scheme scheme_of(std::string_view uri) {
  if (ascii_istarts_with(uri, "mailto:")) return TlsReportUri::Scheme::Mailto;
  if (ascii_istarts_with(uri, "https:")) return TlsReportUri::Scheme::Https;
  return TlsReportUri::Scheme::Other;
}

tl::unexpected<Error> malformed(std::string_view why) {
  return fail(ErrorKind::Malformed, "the TLSRPT record is not valid: " + std::string(why));
}

Result<void> add_uris(std::string_view list, std::vector<TlsReportUri>& uris) {
  for (;;) {
    const std::size_t comma = list.find(',');
    const std::string_view uri = trimmed(list.substr(0, comma));
    if (!is_uri(uri)) return malformed("its rua= has something that is no URI");
    if (uris.size() == kMaxTlsReportUris) return malformed("it has too many URIs");
    uris.push_back({scheme_of(uri), std::string(uri)});
    if (comma == std::string_view::npos) return {};
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

Result<TlsReportRecord> TlsReportRecord::parse(std::string_view txt) {
  if (txt.size() > kMaxTlsReportRecordOctets) return malformed("it is too long");
  // Departs from RFC 8460 §3 because white space behind the last field loses reports and says nothing.
  const auto fields = split_record_fields(txt.substr(0, txt.find_last_not_of(kWsp) + 1), kVersion);
  if (!fields) return malformed(fields.error().detail);
  TlsReportRecord record;
  for (const RecordField& field : *fields) {
    if (field.name == "rua") {
      if (auto added = add_uris(field.value, record.rua); !added) return tl::unexpected(std::move(added.error()));
    } else if (!is_extension_value(field.value)) {
      return malformed("it has a field with a bad value");
    }
  }
  if (record.rua.empty()) return malformed("it has no rua=");
  return record;
}

Result<TlsReportRecord> select_tls_report_record(const std::vector<std::string>& txt_records) {
  const auto is_record = [](const std::string& txt) { return has_record_version(txt, kVersion); };
  const auto only = std::ranges::find_if(txt_records, is_record);
  if (only == txt_records.end()) return fail(ErrorKind::NotFound, "no TLSRPT record is published");
  if (std::any_of(std::next(only), txt_records.end(), is_record)) {
    return fail(ErrorKind::NotFound, "more than one TLSRPT record is published");
  }
  return TlsReportRecord::parse(*only);
}

}  // namespace waxwing
