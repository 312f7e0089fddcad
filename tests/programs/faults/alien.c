__attribute__((import_module("elsewhere"), import_name("thing"))) int thing(void);

int
main(void)
{
    return thing();
}
