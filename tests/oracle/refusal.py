"""Why a row is no item."""


class Refusal(Exception):
    """A value that DynamoDB cannot hold, by the code of Dynasink's dead letters."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


NUMBER = "number"
UNSUPPORTED_VALUE = "unsupported_value"
DUPLICATE_ATTRIBUTE = "duplicate_attribute"
NESTING_TOO_DEEP = "nesting_too_deep"
ITEM_TOO_LARGE = "item_too_large"
