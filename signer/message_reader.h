#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"
#include "signer/header_field.h"

namespace waxwing {

/// Splits a message that arrives in pieces into header and body. Keeps the header; hands the body on unchanged.
///
///   Header    collecting up to the empty line, at most kMaxHeaderOctets
///   Body      everything after the empty line is body
///   Complete  finish() was called
///
/// After an error the object is of no further use.
class MessageReader {
 public:
  /// Takes the next octets of the message (CRLF line ends, dot-stuffing removed), cut anywhere.
  /// @return  the part of `chunk` that belongs to the body, often empty; valid as long as `chunk`
  /// @errors  Exhausted, Malformed: as parse_header_block()
  [[nodiscard]] Result<std::string_view> read(std::string_view chunk);

  /// Says that the message is complete. A message without the empty line is all header.
  /// @errors  Exhausted, Malformed: as parse_header_block()
  [[nodiscard]] Result<void> finish();

  /// Whether the header is complete, so that header_block() and fields() may be used.
  [[nodiscard]] bool has_header() const { return state_ != State::Header; }

  /// The header without the empty line; "" or ended by CRLF. Valid as long as this object stays where it is.
  [[nodiscard]] std::string_view header_block() const { return header_; }

  /// The fields, from the top; they borrow from header_block().
  [[nodiscard]] const std::vector<HeaderField>& fields() const { return fields_; }

  MessageReader() = default;
  MessageReader(const MessageReader&) = delete;
  MessageReader& operator=(const MessageReader&) = delete;

 private:
  enum class State { Header, Body, Complete };

  [[nodiscard]] Result<std::string_view> read_header(std::string_view chunk);
  [[nodiscard]] Result<void> enter_body();

  State state_ = State::Header;
  std::string header_;
  std::vector<HeaderField> fields_;
};

}  // namespace waxwing
