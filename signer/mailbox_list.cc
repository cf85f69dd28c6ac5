#include "signer/mailbox_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "policy/ascii.h"

namespace waxwing {
namespace {

bool is_wsp(char c) {
  return c == ' ' || c == '\t';
}

bool is_control(char c) {
  return (c >= '\0' && c < ' ' && c != '\t') || c == '\x7f';
}

bool is_atom_octet(char c) {
  // Octets over 127 are atom text by RFC 6532.
  return is_ascii_alnum(c) || static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

/// A word of a display name or a local part, or the dot between two.
struct Token {
  enum class Kind { Atom, Quoted, Dot };
  Kind kind;
  std::string text;  ///< of Quoted: without quotes and escapes
};

std::string quote(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

/// The local part as SMTP writes it: a dot-string, or one quoted string when some word was quoted (obs-local-part).
std::optional<std::string> join_local_part(const std::vector<Token>& tokens) {
  std::string joined;
  bool quoted = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if ((tokens[i].kind == Token::Kind::Dot) != (i % 2 == 1)) return std::nullopt;
    quoted = quoted || tokens[i].kind == Token::Kind::Quoted;
    joined += tokens[i].text;
  }
  if (tokens.size() % 2 == 0) return std::nullopt;
  return quoted ? quote(joined) : joined;
}

/// One function per rule of the grammar; each leaves `at_` behind what it read.
class MailboxListParser {
 public:
  explicit MailboxListParser(std::string_view value) : value_(value) {}

  Result<std::vector<MailAddress>> parse() {
    while (true) {
      if (auto skipped = skip_blank(); !skipped) return tl::unexpected(skipped.error());
      if (at_end()) break;
      if (auto element = parse_element(); !element) return tl::unexpected(element.error());
    }
    if (in_group_) return malformed("a group of addresses lacks its ';'");
    return std::move(addresses_);
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ == value_.size(); }
  [[nodiscard]] bool next_is(char c) const { return !at_end() && value_[at_] == c; }

  [[nodiscard]] static tl::unexpected<Error> malformed(std::string_view what) {
    return fail(ErrorKind::Malformed, fmt::format("the list of addresses cannot be read: {}", what));
  }

  /// White space, folds and comments.
  Result<void> skip_blank() {
    int depth = 0;
    for (; !at_end(); ++at_) {
      const char c = value_[at_];
      if (at_fold()) {
        ++at_;
      } else if (c == '(') {
        if (++depth > kMaxCommentDepth) return malformed("comments are nested too deeply");
      } else if (depth == 0) {
        if (!is_wsp(c)) return {};
      } else if (c == ')') {
        --depth;
      } else {
        if (c == '\\' && at_ + 1 < value_.size()) ++at_;
        if (is_control(value_[at_])) return malformed("it holds a control character");
      }
    }
    if (depth > 0) return malformed("a comment lacks its ')'");
    return {};
  }

  [[nodiscard]] bool at_fold() const { return value_.substr(at_, 2) == "\r\n"; }

  /// element = mailbox / group-begin / "," / ";"
  Result<void> parse_element() {
    if (next_is(',')) {
      ++at_;
      return {};
    }
    if (next_is(';')) return end_group();
    auto tokens = parse_tokens();
    if (!tokens) return tl::unexpected(tokens.error());
    if (next_is(':')) return begin_group(*tokens);
    if (next_is('<')) return parse_angle_address();
    if (next_is('@')) {
      if (auto added = parse_domain_and_add(*tokens); !added) return added;
      if (next_is('<')) return malformed("a display name holds an '@'; put it in quotation marks");
      return expect_separator();
    }
    if (at_end() || next_is(',') || next_is(';')) return malformed("an address lacks its '@' and domain");
    return malformed(fmt::format("'{}' stands where it has no meaning; put the display name in quotation marks",
                                 is_control(value_[at_]) ? '?' : value_[at_]));
  }

  Result<void> begin_group(const std::vector<Token>& name) {
    if (in_group_ || name.empty()) return malformed("':' stands where no group begins");
    in_group_ = true;
    ++at_;
    return {};
  }

  Result<void> end_group() {
    if (!in_group_) return malformed("';' stands where no group ends");
    in_group_ = false;
    ++at_;
    if (auto skipped = skip_blank(); !skipped) return skipped;
    return expect_separator();
  }

  /// Behind an address or a group only the end of the element may stand.
  Result<void> expect_separator() {
    if (at_end() || next_is(',') || next_is(';')) return {};
    return malformed("something stands behind an address without a comma");
  }

  /// Words and dots, blank in between.
  Result<std::vector<Token>> parse_tokens() {
    std::vector<Token> tokens;
    while (true) {
      if (auto skipped = skip_blank(); !skipped) return tl::unexpected(skipped.error());
      if (at_end()) return tokens;
      if (next_is('"')) {
        auto text = parse_quoted();
        if (!text) return tl::unexpected(text.error());
        tokens.push_back({Token::Kind::Quoted, std::move(*text)});
      } else if (next_is('.')) {
        ++at_;
        tokens.push_back({Token::Kind::Dot, "."});
      } else if (is_atom_octet(value_[at_])) {
        tokens.push_back({Token::Kind::Atom, parse_atom()});
      } else {
        return tokens;
      }
    }
  }

  std::string parse_atom() {
    const std::size_t begin = at_;
    while (!at_end() && is_atom_octet(value_[at_])) ++at_;
    return std::string(value_.substr(begin, at_ - begin));
  }

  Result<std::string> parse_quoted() {
    std::string text;
    for (++at_; !at_end(); ++at_) {
      if (next_is('"')) {
        ++at_;
        return text;
      }
      if (at_fold()) {
        ++at_;
        continue;
      }
      if (next_is('\\') && ++at_ == value_.size()) break;
      if (is_control(value_[at_])) return malformed("it holds a control character");
      text += value_[at_];
    }
    return malformed("a quotation mark lacks its partner");
  }

  /// angle-addr, source route included
  Result<void> parse_angle_address() {
    ++at_;
    if (auto skipped = skip_blank(); !skipped) return skipped;
    if (auto skipped = skip_route(); !skipped) return skipped;
    auto local_part = parse_tokens();
    if (!local_part) return tl::unexpected(local_part.error());
    if (!next_is('@')) return malformed("there is no address between '<' and '>'");
    if (auto added = parse_domain_and_add(*local_part); !added) return added;
    if (!next_is('>')) return malformed("an address lacks its '>'");
    ++at_;
    if (auto skipped = skip_blank(); !skipped) return skipped;
    return expect_separator();
  }

  /// obs-route = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain]) ":"
  Result<void> skip_route() {
    if (!next_is('@') && !next_is(',')) return {};
    while (!next_is(':')) {
      if (next_is(',')) {
        ++at_;
        if (auto skipped = skip_blank(); !skipped) return skipped;
      } else if (next_is('@')) {
        if (auto domain = parse_domain(); !domain) return tl::unexpected(domain.error());
      } else {
        return malformed("a source route lacks its ':'");
      }
    }
    ++at_;
    return {};
  }

  /// Reads "@" domain and the blank behind it.
  Result<std::string> parse_domain() {
    ++at_;
    if (auto skipped = skip_blank(); !skipped) return tl::unexpected(skipped.error());
    if (next_is('['))
      return malformed("an address literal such as [192.0.2.1] has no domain that could be authenticated");
    auto tokens = parse_tokens();
    if (!tokens) return tl::unexpected(tokens.error());
    const bool quoted = std::any_of(tokens->begin(), tokens->end(),
                                    [](const Token& token) { return token.kind == Token::Kind::Quoted; });
    auto joined = join_local_part(*tokens);  // the same shape: words with dots between them
    if (!joined || quoted) return malformed("a domain is not made of words with dots between them");
    return std::move(*joined);
  }

  Result<void> parse_domain_and_add(const std::vector<Token>& local_tokens) {
    const auto local_part = join_local_part(local_tokens);
    if (!local_part) return malformed("the part before an '@' is not made of words with dots between them");
    auto domain = parse_domain();
    if (!domain) return tl::unexpected(domain.error());
    if (addresses_.size() == kMaxMailboxes) {
      return fail(ErrorKind::Exhausted, fmt::format("there are more than {} addresses", kMaxMailboxes));
    }
    auto address = MailAddress::parse(*local_part + "@" + *domain);
    if (!address) return malformed(address.error().detail);
    addresses_.push_back(std::move(*address));
    return {};
  }

  std::string_view value_;
  std::size_t at_ = 0;
  bool in_group_ = false;
  std::vector<MailAddress> addresses_;
};

}  // namespace

Result<std::vector<MailAddress>> parse_mailbox_list(std::string_view value) {
  return MailboxListParser(value).parse();
}

}  // namespace waxwing
